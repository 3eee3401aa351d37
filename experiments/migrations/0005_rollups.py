import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0004_guardrails'),
    ]

    operations = [
        migrations.CreateModel(
            name='Watermark',
            fields=[
                ('name', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('upto', models.UUIDField(default=uuid.UUID('00000000-0000-0000-0000-000000000000'))),
                ('again_from', models.UUIDField(default=uuid.UUID('00000000-0000-0000-0000-000000000000'))),
            ],
        ),
        migrations.CreateModel(
            name='PredictionRollup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('minute', 'Minute'), ('hour', 'Hour'), ('day', 'Day')], max_length=8)),
                ('at', models.DateTimeField(help_text='When it begins.')),
                ('task', models.CharField(max_length=64)),
                ('algorithm', models.CharField(blank=True, max_length=64)),
                ('version', models.PositiveIntegerField(null=True)),
                ('ok', models.PositiveBigIntegerField()),
                ('fallbacks', models.PositiveBigIntegerField()),
                ('errors', models.PositiveBigIntegerField()),
                ('latency_ms', models.FloatField(help_text='All added up.')),
                ('latency', models.BinaryField()),
                ('confidence', models.BinaryField(help_text='Of those that have one.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('grain', 'at', 'task', 'algorithm', 'version'), name='one_rollup_a_time', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='QualityMeasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('name', models.CharField(max_length=64)),
                ('value', models.FloatField()),
                ('low', models.FloatField(help_text='Of an estimate: the interval that holds the measure at 95 %.', null=True)),
                ('high', models.FloatField(null=True)),
                ('n', models.PositiveIntegerField(help_text='How many answers it rests on.')),
                ('estimated', models.BooleanField(default=False)),
                ('window_start', models.DateTimeField()),
                ('window_end', models.DateTimeField()),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['made_at'], name='quality_made_at')],
            },
        ),
    ]
