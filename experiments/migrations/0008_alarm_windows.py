from django.db import migrations, models


def widen(apps, schema_editor):
    """A window of less is refused from now on, and a rule that has one could not be saved, not even to switch it off."""
    rules = apps.get_model('experiments', 'AlarmRule').objects
    rules.filter(metric='drifted_features', window_minutes__lt=60).update(window_minutes=60)


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0007_alarms'),
    ]

    operations = [
        migrations.AlterField(
            model_name='alarmrule',
            name='least',
            field=models.PositiveIntegerField(default=20, help_text='Predictions (of measured quality: truths) below which nothing is said.'),
        ),
        migrations.AlterField(
            model_name='alarmrule',
            name='window_minutes',
            field=models.PositiveSmallIntegerField(default=5, help_text='1 to 1,440, of drift and estimates 60 or more; since the version went live, where that is shorter.'),
        ),
        migrations.RunPython(widen, migrations.RunPython.noop),
    ]
