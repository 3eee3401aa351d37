import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0005_rollups'),
    ]

    operations = [
        migrations.CreateModel(
            name='DriftReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('reference_from', models.DateTimeField()),
                ('reference_to', models.DateTimeField()),
                ('current_from', models.DateTimeField()),
                ('current_to', models.DateTimeField()),
                ('reference_rows', models.PositiveIntegerField(default=0, help_text='Predictions that were read.')),
                ('current_rows', models.PositiveIntegerField(default=0)),
                ('features', models.JSONField(blank=True, default=list, help_text='What experiments/drift/judging.py found of each.')),
                ('drifted', models.PositiveSmallIntegerField(default=0, help_text='How many of the features.')),
                ('note', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['task', '-made_at'], name='drift_task')],
            },
        ),
    ]
