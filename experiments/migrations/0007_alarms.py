import django.db.models.deletion
from django.db import migrations, models


# A migration runs once, so a rule that somebody deletes does not come back. Nothing rolls back unless somebody says so.
RULES = [
    {'name': 'Errors', 'metric': 'error_rate', 'threshold': 0.05, 'window_minutes': 1, 'least': 20},
    {'name': 'Slow', 'metric': 'latency_p95', 'threshold': 4.0, 'relative': True, 'window_minutes': 1, 'least': 50},
    {'name': 'Fallbacks', 'metric': 'fallback_rate', 'threshold': 0.2, 'window_minutes': 5, 'least': 20},
    {'name': 'Drift', 'metric': 'drifted_features', 'threshold': 0.0, 'window_minutes': 120, 'least': 0},
    {'name': 'Wrong', 'metric': 'accuracy', 'comparison': 'below', 'threshold': 0.85, 'relative': True,
     'window_minutes': 1_440, 'least': 100},
]


def make_rules(apps, schema_editor):
    rules = apps.get_model('experiments', 'AlarmRule').objects
    for rule in RULES:
        rules.create(**rule)


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0006_drift'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlarmRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64, unique=True)),
                ('task', models.CharField(blank=True, help_text='Empty: every task with a live version.', max_length=64)),
                ('metric', models.CharField(help_text='Such as error_rate: see the table in docs/monitoring.md.', max_length=64)),
                ('comparison', models.CharField(choices=[('above', 'Above'), ('below', 'Below')], default='above', max_length=8)),
                ('threshold', models.FloatField(help_text='A share is 0 to 1, latency is in ms.')),
                ('relative', models.BooleanField(default=False, help_text="The threshold is a multiple of what the task's figure was in the 24 hours before the window.")),
                ('window_minutes', models.PositiveSmallIntegerField(default=5, help_text='1 to 1,440; of the live version since it went live, where that is shorter.')),
                ('for_minutes', models.PositiveSmallIntegerField(default=0, help_text='How long it must last before the alarm fires, 0 to 1,440; 0: at once.')),
                ('least', models.PositiveIntegerField(default=20, help_text='Predictions (of quality: truths) below which nothing is said.')),
                ('enabled', models.BooleanField(default=True)),
                ('action', models.CharField(blank=True, choices=[('', 'none'), ('rollback', 'roll back')], default='', help_text='Roll back: the version before goes live, once, until somebody promotes a version again.', max_length=16)),
                ('cooldown_minutes', models.PositiveSmallIntegerField(default=60, help_text='No alarm rolls the task back so soon after one did: 1 to 10,080.')),
            ],
            options={
                'verbose_name': 'alarm rule',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Of the rule.', max_length=64)),
                ('task', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField(help_text='The live version whose figures broke the rule.')),
                ('live_since', models.DateTimeField(null=True)),
                ('metric', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('firing', 'Firing'), ('resolved', 'Resolved')], max_length=16)),
                ('value', models.FloatField(help_text='At the last look.')),
                ('bound', models.FloatField()),
                ('before', models.FloatField(help_text='The figure in the 24 hours before, which a relative bound is of.', null=True)),
                ('n', models.PositiveBigIntegerField(help_text='Predictions or truths that the value is of.')),
                ('since', models.DateTimeField(help_text='The first look at which the rule was broken.')),
                ('seen_at', models.DateTimeField(help_text='The last one.')),
                ('fired_at', models.DateTimeField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('ended', models.CharField(blank=True, help_text='Why, where no figure ended it.', max_length=200)),
                ('action', models.CharField(blank=True, help_text='What was done about it, or why nothing was.', max_length=1000)),
                ('acted_at', models.DateTimeField(help_text='Empty: the action is still to come, or there is none.', null=True)),
                ('rollback', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alarm', to='experiments.promotion')),
                ('rule', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alarms', to='experiments.alarmrule')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('pending', 'firing'))), fields=('rule', 'task'), name='one_open_alarm_a_rule_and_task')],
            },
        ),
        migrations.RunPython(make_rules, migrations.RunPython.noop),
    ]
