"""The register and the dossier: stages of life, evidence, changes, parts, jobs, cases, imports, search, publication."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registry_bulk",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.JSON(), nullable=False),
        sa.Column("deed", sa.JSON(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_bulk")),
    )
    op.create_index(op.f("ix_registry_bulk_is_open"), "registry_bulk", ["is_open"], unique=False)
    op.create_table(
        "registry_import",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("takes_likely", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("barred", sa.Integer(), nullable=False),
        sa.Column("troubles", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_import")),
    )
    op.create_index(op.f("ix_registry_import_state"), "registry_import", ["state"], unique=False)
    op.create_table(
        "registry_search_gone",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_search_gone")),
    )
    op.create_table(
        "registry_search_posting",
        sa.Column("term", sa.LargeBinary(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("term", "chunk", "run", name=op.f("pk_registry_search_posting")),
    )
    op.create_index(op.f("ix_registry_search_posting_run"), "registry_search_posting", ["run"], unique=False)
    op.create_table(
        "registry_search_run",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_search_run")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "registry_search_word",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_search_word")),
        sa.UniqueConstraint("word", name=op.f("uq_registry_search_word_word")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "registry_sweep",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("since", sa.JSON(), nullable=False),
        sa.Column("until", sa.JSON(), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_registry_sweep")),
    )
    op.create_table(
        "registry_view",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_view")),
    )
    op.create_index(op.f("ix_registry_view_owner"), "registry_view", ["owner"], unique=False)
    op.create_table(
        "registry_bulk_item",
        sa.Column("bulk_id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("says_zh", sa.Text(), nullable=False),
        sa.Column("says_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulk_id"], ["registry_bulk.id"], name=op.f("fk_registry_bulk_item_bulk_id_registry_bulk")
        ),
        sa.PrimaryKeyConstraint("bulk_id", "place", name=op.f("pk_registry_bulk_item")),
    )
    op.create_table(
        "registry_identifier",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("named", sa.String(length=100), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("verified", sa.String(length=20), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["registry_party.id"], name=op.f("fk_registry_identifier_party_id_registry_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_identifier")),
        sa.UniqueConstraint("scheme", "named", "value", name=op.f("uq_registry_identifier_scheme_named_value")),
    )
    op.create_index(op.f("ix_registry_identifier_party_id"), "registry_identifier", ["party_id"], unique=False)
    op.create_table(
        "registry_import_item",
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("spot", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("why", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.Integer(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("barred_by", sa.JSON(), nullable=False),
        sa.Column("extras", sa.JSON(), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["registry_import.id"], name=op.f("fk_registry_import_item_batch_id_registry_import")
        ),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_registry_import_item")),
    )
    op.create_index(op.f("ix_registry_import_item_digest"), "registry_import_item", ["digest"], unique=False)
    op.create_index(op.f("ix_registry_import_item_key"), "registry_import_item", ["key"], unique=False)
    op.create_index(op.f("ix_registry_import_item_system_id"), "registry_import_item", ["system_id"], unique=False)
    op.create_table(
        "registry_import_leaf",
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["registry_import.id"], name=op.f("fk_registry_import_leaf_batch_id_registry_import")
        ),
        sa.PrimaryKeyConstraint("entry_id", "index", name=op.f("pk_registry_import_leaf")),
    )
    op.create_index(op.f("ix_registry_import_leaf_batch_id"), "registry_import_leaf", ["batch_id"], unique=False)
    op.create_index(op.f("ix_registry_import_leaf_subject"), "registry_import_leaf", ["subject"], unique=False)
    op.create_table(
        "registry_office",
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("jurisdiction", sa.String(length=20), nullable=False),
        sa.Column("instruments", sa.JSON(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["party_id"], ["registry_party.id"], name=op.f("fk_registry_office_party_id_registry_party")
        ),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_registry_office")),
    )
    op.create_table(
        "registry_thing",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("about_zh", sa.Text(), nullable=False),
        sa.Column("about_en", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("origin_url", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("dependents", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["registry_party.id"], name=op.f("fk_registry_thing_owner_id_registry_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_thing")),
        sa.UniqueConstraint("key_fingerprint", name=op.f("uq_registry_thing_key_fingerprint")),
    )
    op.create_index("ix_registry_thing_dependents_id", "registry_thing", ["dependents", "id"], unique=False)
    op.create_index("ix_registry_thing_kind_dependents", "registry_thing", ["kind", "dependents"], unique=False)
    op.create_index(op.f("ix_registry_thing_owner_id"), "registry_thing", ["owner_id"], unique=False)
    op.create_table(
        "registry_attachment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("stated_type", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_attachment_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_attachment")),
    )
    op.create_index(op.f("ix_registry_attachment_digest"), "registry_attachment", ["digest"], unique=False)
    op.create_index("ix_registry_attachment_subject_id_id", "registry_attachment", ["subject_id", "id"], unique=False)
    op.create_index("ix_registry_attachment_system_id_id", "registry_attachment", ["system_id", "id"], unique=False)
    op.create_table(
        "registry_case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("office_id", sa.String(length=40), nullable=False),
        sa.Column("jurisdiction", sa.String(length=20), nullable=False),
        sa.Column("instruments", sa.JSON(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("confidentiality", sa.String(length=20), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.Column("other_basis", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=60), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("waits_on", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("referred_to", sa.String(length=40), nullable=False),
        sa.Column("appeal_to", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"], ["registry_office.party_id"], name=op.f("fk_registry_case_office_id_registry_office")
        ),
        sa.ForeignKeyConstraint(
            ["party_id"], ["registry_party.id"], name=op.f("fk_registry_case_party_id_registry_party")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_case_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_case")),
    )
    op.create_index(op.f("ix_registry_case_office_id"), "registry_case", ["office_id"], unique=False)
    op.create_index(op.f("ix_registry_case_system_id"), "registry_case", ["system_id"], unique=False)
    op.create_table(
        "registry_change",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("mark", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("before_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_change_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_change")),
        sa.UniqueConstraint("system_id", "mark", name=op.f("uq_registry_change_system_id_mark")),
    )
    op.create_table(
        "registry_comment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_comment_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_comment")),
    )
    op.create_index("ix_registry_comment_subject_id_id", "registry_comment", ["subject_id", "id"], unique=False)
    op.create_index("ix_registry_comment_system_id_id", "registry_comment", ["system_id", "id"], unique=False)
    op.create_table(
        "registry_filing",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("evidence_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_filing_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_filing")),
    )
    op.create_index(op.f("ix_registry_filing_system_id"), "registry_filing", ["system_id"], unique=False)
    op.create_table(
        "registry_form_answer",
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_form_answer_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("system_id", "form", "field", name=op.f("pk_registry_form_answer")),
    )
    op.create_table(
        "registry_job",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("model_id", sa.String(length=200), nullable=False),
        sa.Column("version_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("runner", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("stop", sa.JSON(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("artefact", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_job_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_job")),
    )
    op.create_index("ix_registry_job_place", "registry_job", ["place", "id"], unique=False)
    op.create_index("ix_registry_job_runner", "registry_job", ["runner", "place", "id"], unique=False)
    op.create_index("ix_registry_job_system", "registry_job", ["system_id", "place", "id"], unique=False)
    op.create_table(
        "registry_label",
        sa.Column("facet", sa.String(length=80), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_label_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("facet", "value", "system_id", name=op.f("pk_registry_label")),
    )
    op.create_index(op.f("ix_registry_label_system_id"), "registry_label", ["system_id"], unique=False)
    op.create_table(
        "registry_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("thing_id", sa.String(length=40), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_link_system_id_registry_system")
        ),
        sa.ForeignKeyConstraint(
            ["thing_id"], ["registry_thing.id"], name=op.f("fk_registry_link_thing_id_registry_thing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_link")),
    )
    op.create_index(op.f("ix_registry_link_system_id"), "registry_link", ["system_id"], unique=False)
    op.create_index("ix_registry_link_thing_id_system_id", "registry_link", ["thing_id", "system_id"], unique=False)
    op.create_index(
        "uq_registry_link_open",
        "registry_link",
        ["system_id", "thing_id", "relation"],
        unique=True,
        sqlite_where=sa.text("until is null"),
        postgresql_where=sa.text("until is null"),
    )
    op.create_table(
        "registry_officer",
        sa.Column("actor_id", sa.String(length=60), nullable=False),
        sa.Column("office_id", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"], ["registry_office.party_id"], name=op.f("fk_registry_officer_office_id_registry_office")
        ),
        sa.PrimaryKeyConstraint("actor_id", name=op.f("pk_registry_officer")),
    )
    op.create_index(op.f("ix_registry_officer_office_id"), "registry_officer", ["office_id"], unique=False)
    op.create_table(
        "registry_passage",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_passage_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_passage")),
    )
    op.create_index("ix_registry_passage_system_id", "registry_passage", ["system_id"], unique=False)
    op.create_table(
        "registry_publication",
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("visibility", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("purpose_zh", sa.Text(), nullable=False),
        sa.Column("purpose_en", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("is_judged", sa.Boolean(), nullable=False),
        sa.Column("is_imported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_publication_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("system_id", name=op.f("pk_registry_publication")),
    )
    op.create_index("ix_registry_publication_at", "registry_publication", ["visibility", "at"], unique=False)
    op.create_index(
        "ix_registry_publication_visibility", "registry_publication", ["visibility", "system_id"], unique=False
    )
    op.create_table(
        "registry_publication_mark",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_publication_mark_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("kind", "value", "system_id", name=op.f("pk_registry_publication_mark")),
    )
    op.create_index("ix_registry_publication_mark_system_id", "registry_publication_mark", ["system_id"], unique=False)
    op.create_table(
        "registry_publication_past",
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("visibility", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("is_end", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_publication_past_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("system_id", "version", name=op.f("pk_registry_publication_past")),
    )
    op.create_table(
        "registry_search_entry",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("is_fresh", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_search_entry_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_search_entry")),
        sa.UniqueConstraint("system_id", name=op.f("uq_registry_search_entry_system_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_registry_search_entry_fresh",
        "registry_search_entry",
        ["number"],
        unique=False,
        sqlite_where=sa.text("is_fresh = 1"),
        postgresql_where=sa.text("is_fresh = true"),
    )
    op.create_index(
        "ix_registry_search_entry_name_key", "registry_search_entry", ["name_key", "system_id"], unique=False
    )
    op.create_table(
        "registry_task",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("assignee", sa.String(length=100), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_task_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_task")),
    )
    op.create_index("ix_registry_task_assignee_done_at", "registry_task", ["assignee", "done_at"], unique=False)
    op.create_index("ix_registry_task_done_at_due", "registry_task", ["done_at", "due"], unique=False)
    op.create_index("ix_registry_task_subject_id_done_at", "registry_task", ["subject_id", "done_at"], unique=False)
    op.create_index("ix_registry_task_system_id_done_at", "registry_task", ["system_id", "done_at"], unique=False)
    op.create_table(
        "registry_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=True),
        sa.Column("thing_id", sa.String(length=40), nullable=True),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("notes_zh", sa.Text(), nullable=False),
        sa.Column("notes_en", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_version_system_id_registry_system")
        ),
        sa.ForeignKeyConstraint(
            ["thing_id"], ["registry_thing.id"], name=op.f("fk_registry_version_thing_id_registry_thing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_version")),
        sa.UniqueConstraint("subject_id", "label", name=op.f("uq_registry_version_subject_id_label")),
    )
    op.create_index(op.f("ix_registry_version_system_id"), "registry_version", ["system_id"], unique=False)
    op.create_index(op.f("ix_registry_version_thing_id"), "registry_version", ["thing_id"], unique=False)
    op.create_index(
        "uq_registry_version_current",
        "registry_version",
        ["subject_id"],
        unique=True,
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.create_table(
        "registry_assignment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["registry_person.id"], name=op.f("fk_registry_assignment_person_id_registry_person")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_assignment_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_assignment")),
    )
    op.create_index(op.f("ix_registry_assignment_person_id"), "registry_assignment", ["person_id"], unique=False)
    op.create_index(op.f("ix_registry_assignment_system_id"), "registry_assignment", ["system_id"], unique=False)
    op.create_table(
        "registry_case_step",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("office_id", sa.String(length=40), nullable=False),
        sa.Column("written_by", sa.String(length=60), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["registry_case.id"], name=op.f("fk_registry_case_step_case_id_registry_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_case_step")),
    )
    op.create_index(op.f("ix_registry_case_step_case_id"), "registry_case_step", ["case_id"], unique=False)
    op.create_index(
        "uq_registry_case_step_served",
        "registry_case_step",
        ["case_id", "number"],
        unique=True,
        postgresql_where=sa.text("number > 0"),
        sqlite_where=sa.text("number > 0"),
    )
    op.create_table(
        "registry_evidence",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("issuer", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["registry_person.id"], name=op.f("fk_registry_evidence_person_id_registry_person")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_evidence_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_evidence")),
    )
    op.create_index("ix_registry_evidence_expires_on", "registry_evidence", ["expires_on"], unique=False)
    op.create_index("ix_registry_evidence_held", "registry_evidence", ["system_id", "expires_on"], unique=False)
    op.create_table(
        "registry_job_report",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("flop", sa.Double(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["registry_job.id"], name=op.f("fk_registry_job_report_job_id_registry_job")
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_registry_job_report")),
    )
    op.create_table(
        "registry_sign_off",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("to", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["registry_person.id"], name=op.f("fk_registry_sign_off_person_id_registry_person")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_sign_off_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_sign_off")),
    )
    op.create_index("ix_registry_sign_off_system_id", "registry_sign_off", ["system_id"], unique=False)
    op.create_table(
        "registry_case_publication",
        sa.Column("step_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("summary_zh", sa.Text(), nullable=False),
        sa.Column("summary_en", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["registry_case.id"], name=op.f("fk_registry_case_publication_case_id_registry_case")
        ),
        sa.ForeignKeyConstraint(
            ["step_id"], ["registry_case_step.id"], name=op.f("fk_registry_case_publication_step_id_registry_case_step")
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["registry_system.id"], name=op.f("fk_registry_case_publication_system_id_registry_system")
        ),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_registry_case_publication")),
    )
    op.create_index(
        op.f("ix_registry_case_publication_system_id"), "registry_case_publication", ["system_id"], unique=False
    )
    op.create_table(
        "registry_vouch",
        sa.Column("evidence_id", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("issuer", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["registry_evidence.id"], name=op.f("fk_registry_vouch_evidence_id_registry_evidence")
        ),
        sa.PrimaryKeyConstraint("evidence_id", "by", "issuer", name=op.f("pk_registry_vouch")),
    )
    op.create_index("ix_registry_party_name", "registry_party", ["name"], unique=False)
    op.add_column(
        "registry_system", sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index("ix_registry_system_deployer_id_newest", "registry_system", ["deployer_id", "id"], unique=False)
    op.create_index("ix_registry_system_provider_id_newest", "registry_system", ["provider_id", "id"], unique=False)
    op.create_index("ix_registry_system_registered_newest", "registry_system", ["registered_at", "id"], unique=False)
    op.create_index("ix_registry_system_status_newest", "registry_system", ["status", "id"], unique=False)
    # A draft was an idea; nothing else about what is registered changes.
    op.execute("UPDATE registry_system SET status = 'idea' WHERE status = 'draft'")


def downgrade() -> None:
    # Stages that the older software does not know are drafts to it.
    op.execute("UPDATE registry_system SET status = 'draft' WHERE status NOT IN ('in_service', 'suspended', 'retired')")
    op.drop_index("ix_registry_system_status_newest", table_name="registry_system")
    op.drop_index("ix_registry_system_registered_newest", table_name="registry_system")
    op.drop_index("ix_registry_system_provider_id_newest", table_name="registry_system")
    op.drop_index("ix_registry_system_deployer_id_newest", table_name="registry_system")
    op.drop_column("registry_system", "provisional")
    op.drop_index("ix_registry_party_name", table_name="registry_party")
    op.drop_table("registry_vouch")
    op.drop_index(op.f("ix_registry_case_publication_system_id"), table_name="registry_case_publication")
    op.drop_table("registry_case_publication")
    op.drop_index("ix_registry_sign_off_system_id", table_name="registry_sign_off")
    op.drop_table("registry_sign_off")
    op.drop_table("registry_job_report")
    op.drop_index("ix_registry_evidence_held", table_name="registry_evidence")
    op.drop_index("ix_registry_evidence_expires_on", table_name="registry_evidence")
    op.drop_table("registry_evidence")
    op.drop_index(
        "uq_registry_case_step_served",
        table_name="registry_case_step",
        postgresql_where=sa.text("number > 0"),
        sqlite_where=sa.text("number > 0"),
    )
    op.drop_index(op.f("ix_registry_case_step_case_id"), table_name="registry_case_step")
    op.drop_table("registry_case_step")
    op.drop_index(op.f("ix_registry_assignment_system_id"), table_name="registry_assignment")
    op.drop_index(op.f("ix_registry_assignment_person_id"), table_name="registry_assignment")
    op.drop_table("registry_assignment")
    op.drop_index(
        "uq_registry_version_current",
        table_name="registry_version",
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.drop_index(op.f("ix_registry_version_thing_id"), table_name="registry_version")
    op.drop_index(op.f("ix_registry_version_system_id"), table_name="registry_version")
    op.drop_table("registry_version")
    op.drop_index("ix_registry_task_system_id_done_at", table_name="registry_task")
    op.drop_index("ix_registry_task_subject_id_done_at", table_name="registry_task")
    op.drop_index("ix_registry_task_done_at_due", table_name="registry_task")
    op.drop_index("ix_registry_task_assignee_done_at", table_name="registry_task")
    op.drop_table("registry_task")
    op.drop_index("ix_registry_search_entry_name_key", table_name="registry_search_entry")
    op.drop_index(
        "ix_registry_search_entry_fresh",
        table_name="registry_search_entry",
        sqlite_where=sa.text("is_fresh = 1"),
        postgresql_where=sa.text("is_fresh = true"),
    )
    op.drop_table("registry_search_entry")
    op.drop_table("registry_publication_past")
    op.drop_index("ix_registry_publication_mark_system_id", table_name="registry_publication_mark")
    op.drop_table("registry_publication_mark")
    op.drop_index("ix_registry_publication_visibility", table_name="registry_publication")
    op.drop_index("ix_registry_publication_at", table_name="registry_publication")
    op.drop_table("registry_publication")
    op.drop_index("ix_registry_passage_system_id", table_name="registry_passage")
    op.drop_table("registry_passage")
    op.drop_index(op.f("ix_registry_officer_office_id"), table_name="registry_officer")
    op.drop_table("registry_officer")
    op.drop_index(
        "uq_registry_link_open",
        table_name="registry_link",
        sqlite_where=sa.text("until is null"),
        postgresql_where=sa.text("until is null"),
    )
    op.drop_index("ix_registry_link_thing_id_system_id", table_name="registry_link")
    op.drop_index(op.f("ix_registry_link_system_id"), table_name="registry_link")
    op.drop_table("registry_link")
    op.drop_index(op.f("ix_registry_label_system_id"), table_name="registry_label")
    op.drop_table("registry_label")
    op.drop_index("ix_registry_job_system", table_name="registry_job")
    op.drop_index("ix_registry_job_runner", table_name="registry_job")
    op.drop_index("ix_registry_job_place", table_name="registry_job")
    op.drop_table("registry_job")
    op.drop_table("registry_form_answer")
    op.drop_index(op.f("ix_registry_filing_system_id"), table_name="registry_filing")
    op.drop_table("registry_filing")
    op.drop_index("ix_registry_comment_system_id_id", table_name="registry_comment")
    op.drop_index("ix_registry_comment_subject_id_id", table_name="registry_comment")
    op.drop_table("registry_comment")
    op.drop_table("registry_change")
    op.drop_index(op.f("ix_registry_case_system_id"), table_name="registry_case")
    op.drop_index(op.f("ix_registry_case_office_id"), table_name="registry_case")
    op.drop_table("registry_case")
    op.drop_index("ix_registry_attachment_system_id_id", table_name="registry_attachment")
    op.drop_index("ix_registry_attachment_subject_id_id", table_name="registry_attachment")
    op.drop_index(op.f("ix_registry_attachment_digest"), table_name="registry_attachment")
    op.drop_table("registry_attachment")
    op.drop_index(op.f("ix_registry_thing_owner_id"), table_name="registry_thing")
    op.drop_index("ix_registry_thing_kind_dependents", table_name="registry_thing")
    op.drop_index("ix_registry_thing_dependents_id", table_name="registry_thing")
    op.drop_table("registry_thing")
    op.drop_table("registry_office")
    op.drop_index(op.f("ix_registry_import_leaf_subject"), table_name="registry_import_leaf")
    op.drop_index(op.f("ix_registry_import_leaf_batch_id"), table_name="registry_import_leaf")
    op.drop_table("registry_import_leaf")
    op.drop_index(op.f("ix_registry_import_item_system_id"), table_name="registry_import_item")
    op.drop_index(op.f("ix_registry_import_item_key"), table_name="registry_import_item")
    op.drop_index(op.f("ix_registry_import_item_digest"), table_name="registry_import_item")
    op.drop_table("registry_import_item")
    op.drop_index(op.f("ix_registry_identifier_party_id"), table_name="registry_identifier")
    op.drop_table("registry_identifier")
    op.drop_table("registry_bulk_item")
    op.drop_index(op.f("ix_registry_view_owner"), table_name="registry_view")
    op.drop_table("registry_view")
    op.drop_table("registry_sweep")
    op.drop_table("registry_search_word")
    op.drop_table("registry_search_run")
    op.drop_index(op.f("ix_registry_search_posting_run"), table_name="registry_search_posting")
    op.drop_table("registry_search_posting")
    op.drop_table("registry_search_gone")
    op.drop_index(op.f("ix_registry_import_state"), table_name="registry_import")
    op.drop_table("registry_import")
    op.drop_index(op.f("ix_registry_bulk_is_open"), table_name="registry_bulk")
    op.drop_table("registry_bulk")
