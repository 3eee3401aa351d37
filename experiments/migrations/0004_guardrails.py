import django.core.serializers.json
import django.utils.timezone
import experiments.uuid7
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0003_ab_test_plan'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=experiments.uuid7.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event', models.CharField(help_text='What happened, such as experiment.paused.', max_length=64)),
                ('data', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('host', models.CharField(blank=True, help_text='Where it was sent last.', max_length=255)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, help_text='Empty: it is not sent again.', null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='abtest',
            name='beyond',
            field=models.JSONField(blank=True, default=dict, editable=False, help_text='The first and the last look at which a guardrail was lost: by variant, then metric.'),
        ),
        migrations.AddField(
            model_name='abtest',
            name='guardrail_minutes',
            field=models.PositiveSmallIntegerField(default=10, help_text='A guardrail of errors, fallbacks or latency that is lost for so long pauses the test.'),
        ),
        migrations.AddConstraint(
            model_name='abtest',
            constraint=models.CheckConstraint(condition=models.Q(('guardrail_minutes__gte', 1), ('guardrail_minutes__lte', 1440)), name='guardrails_are_lost_for_1_to_1440_minutes', violation_error_message='A guardrail acts after 1 to 1440 minutes.'),
        ),
    ]
