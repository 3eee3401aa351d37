import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0002_ab_tests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ABTestAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(max_length=16)),
                ('reason', models.TextField(blank=True, max_length=1000)),
                ('facts', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'A/B test action',
                'ordering': ['-id'],
            },
        ),
        migrations.AlterModelOptions(
            name='abtest',
            options={'ordering': ['-id'], 'permissions': [('run_abtest', 'Can start, pause and stop A/B tests, and promote a winner')], 'verbose_name': 'A/B test'},
        ),
        migrations.AddField(
            model_name='abtest',
            name='audience',
            field=models.CharField(choices=[('everyone', 'Everyone'), ('customers', 'Customers'), ('staff', 'Staff')], default='everyone', max_length=16),
        ),
        migrations.AddField(
            model_name='abtest',
            name='guardrails',
            field=models.JSONField(blank=True, default=list, help_text='What may not be lost, such as [{"metric": "latency_p95", "bound": 0.1}].'),
        ),
        migrations.AddField(
            model_name='abtest',
            name='hypothesis',
            field=models.TextField(blank=True, help_text='What is expected to happen, and why.', max_length=2000),
        ),
        migrations.AddField(
            model_name='abtest',
            name='planned_users',
            field=models.PositiveIntegerField(blank=True, help_text="A group, before any verdict. Empty: planned from the shop's own rows at the start.", null=True),
        ),
        migrations.AddField(
            model_name='abtest',
            name='primary_metric',
            field=models.CharField(default='click_rate', help_text='What decides.', max_length=64),
        ),
        migrations.AddField(
            model_name='abtest',
            name='secondary_metrics',
            field=models.JSONField(blank=True, default=list, help_text='Shown beside, and decide nothing.'),
        ),
        migrations.AddField(
            model_name='abtest',
            name='signed_up_before',
            field=models.DateTimeField(blank=True, help_text='Only users from before take part.', null=True),
        ),
        migrations.AddField(
            model_name='abtest',
            name='smallest_effect',
            field=models.FloatField(default=0.05, help_text='Relative: 0.05 is worth finding +5 %.'),
        ),
        migrations.AddField(
            model_name='abtest',
            name='window_days',
            field=models.PositiveSmallIntegerField(default=7, help_text='Outcomes count so long after the exposure.'),
        ),
        migrations.AlterField(
            model_name='abtest',
            name='state',
            field=models.CharField(choices=[('draft', 'Draft'), ('running', 'Running'), ('paused', 'Paused'), ('stopped', 'Stopped')], default='draft', editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name='exposure',
            name='test',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exposures', to='experiments.abtest'),
        ),
        migrations.AddIndex(
            model_name='exposure',
            index=models.Index(fields=['test', 'user_id'], include=('variant', 'created_at'), name='exposure_of_test'),
        ),
        migrations.AddIndex(
            model_name='outcome',
            index=models.Index(condition=models.Q(('kind__in', ['click', 'cart', 'purchase', 'rating'])), fields=['kind', 'user_id', 'created_at'], include=('value', 'prediction_id'), name='outcome_of_metrics'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(condition=models.Q(('variant', ''), _negated=True), fields=['task', 'id'], include=('user_id', 'variant', 'latency_ms', 'status'), name='prediction_tested'),
        ),
        migrations.AddConstraint(
            model_name='abtest',
            constraint=models.CheckConstraint(condition=models.Q(('smallest_effect__gt', 0), ('smallest_effect__lte', 100)), name='smallest_effect_is_over_zero', violation_error_message='The smallest effect is over 0 and at most 100.'),
        ),
        migrations.AddConstraint(
            model_name='abtest',
            constraint=models.CheckConstraint(condition=models.Q(('window_days__gte', 1), ('window_days__lte', 90)), name='window_is_1_to_90_days', violation_error_message='Outcomes count 1 to 90 days long.'),
        ),
        migrations.AddConstraint(
            model_name='abtest',
            constraint=models.CheckConstraint(condition=models.Q(('planned_users__isnull', True), ('planned_users__gte', 2), _connector='OR'), name='planned_users_are_two_or_more', violation_error_message='Two users a group are the fewest that can be compared.'),
        ),
        migrations.AddField(
            model_name='abtestaction',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='abtestaction',
            name='test',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='experiments.abtest'),
        ),
    ]
