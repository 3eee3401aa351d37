"""All features of the network in half precision, in place of a projection on 256 dimensions. Vectors are made of the
pictures by jobs, so the old ones go.
"""

import pgvector.django
from django.db import migrations

PLAIN = "ALTER TABLE vision_imageembedding ALTER COLUMN vector SET STORAGE {}"  # beside its row: a search reads thousands


class Migration(migrations.Migration):
    dependencies = [("vision", "0001_initial")]

    operations = [
        migrations.RunSQL("TRUNCATE vision_imageembedding, vision_searched", migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="imageembedding", name="looks_like"),
        migrations.RemoveField(model_name="imageembedding", name="vector"),
        migrations.AddField(
            model_name="imageembedding",
            name="vector",
            field=pgvector.django.HalfVectorField(dimensions=1280, null=True),
        ),
        migrations.RunSQL(PLAIN.format("PLAIN"), PLAIN.format("EXTERNAL")),
        migrations.AddIndex(
            model_name="imageembedding",
            index=pgvector.django.HnswIndex(
                ef_construction=64, fields=["vector"], m=16, name="looks_like", opclasses=["halfvec_cosine_ops"]
            ),
        ),
    ]
