"""Words of working together: attached files, comments, tasks.

What people write here may be personal: file names, texts, titles and people stay out of the ledger altogether.  The
ledger remembers that something was attached, said or assigned, about what, when and by whom; the rest can be erased.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a note is about.

    Attributes:
        id: Of a system, part, party, piece of evidence or job.
        system_id: The system it belongs to; empty where it belongs to none.
    """

    id: str
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file somebody attached.

    Attributes:
        id: `att_…`.
        subject: What it is about.
        name: The file's name without its folders; personal.  Empty once withdrawn.
        digest: SHA-256 of its bytes.
        size: Bytes.
        media_type: What its bytes are, as far as their beginning tells.
        stated_type: What the sender said they were.
        at, by: When it was attached, and by whom (pseudonymous).
        withdrawn_at: When it was withdrawn; None while it is there.
    """

    id: str
    subject: Subject
    name: str
    digest: str
    size: int
    media_type: str
    stated_type: str
    at: datetime
    by: str
    withdrawn_at: datetime | None = None

    @property
    def is_misstated(self) -> bool:
        """Whether its bytes are plainly something other than the sender said."""
        generic = {"", "application/octet-stream"}
        return not {self.media_type, self.stated_type} & generic and self.media_type != self.stated_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Something somebody said.

    Attributes:
        id: `cmt_…`.
        text: What; personal.  Empty once deleted.
        edited_at: When it was last changed; None if never.
        deleted_at: When it was deleted; the place of it stays.
    """

    id: str
    subject: Subject
    text: str
    at: datetime
    by: str
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something somebody is to do.

    Attributes:
        id: `tsk_…`.
        title: What; personal.
        assignee: Pseudonymous id of a user; empty where none.
        person: Name of who is to do it, where that is no user; personal.
        due: Last day; None where there is none.
        done_at, done_by: When and by whom it was done; None and empty while it is open.
    """

    id: str
    subject: Subject
    title: str
    assignee: str
    person: str
    due: date | None
    at: datetime
    by: str
    done_at: datetime | None = None
    done_by: str = ""

    def is_overdue(self, today: date) -> bool:
        """Whether its last day has passed and it is open."""
        return self.done_at is None and self.due is not None and self.due < today


# --- what people ask for -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say something about a system, part, party, piece of evidence or job.

    Attributes:
        subject_id: About what.
        text: What; shown to everyone who may read the register.
    """

    subject_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Give somebody something to do.

    Attributes:
        subject_id: About what.
        title: What.
        assignee: Id of a user.
        person: Name of who is to do it, where that is no user.
        due: Last day.
    """

    subject_id: str
    title: str
    assignee: str = ""
    person: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTask:
    """Change a task; what is left out stays.

    Attributes:
        has_due: Whether the last day is to be set (to `due`, or to none).
    """

    title: str | None = None
    assignee: str | None = None
    person: str | None = None
    due: date | None = None
    has_due: bool = False


# --- what people see ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPage:
    """A page of attached files, newest first; those withdrawn keep their place."""

    items: tuple[Attachment, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentPage:
    """A page of comments, newest first; those deleted keep their place."""

    items: tuple[Comment, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """A page of tasks: open ones by their last day, then those done, the latest first."""

    items: tuple[Task, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A file that was withdrawn.

    Attributes:
        is_erased: Whether its bytes are gone; they stay where something else rests on the same bytes.
        held_by: Why they stay; empty where they are gone.
    """

    attachment: Attachment
    is_erased: bool
    held_by: str = ""


# --- what happens ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttached(Event):
    """A file was attached; its name is kept out."""

    kind: ClassVar[str] = "registry.file_attached.v1"
    title: ClassVar[Text] = Text(zh="附上了文件", en="File attached")
    attachment_id: str
    about: str
    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWithdrawn(Event):
    """An attached file was withdrawn."""

    kind: ClassVar[str] = "registry.file_withdrawn.v1"
    title: ClassVar[Text] = Text(zh="撤回了文件", en="File withdrawn")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    attachment_id: str
    about: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentMade(Event):
    """Somebody said something; what, is kept out."""

    kind: ClassVar[str] = "registry.comment_made.v1"
    title: ClassVar[Text] = Text(zh="发表了评论", en="Comment made")
    comment_id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(Event):
    """Somebody changed what they had said."""

    kind: ClassVar[str] = "registry.comment_edited.v1"
    title: ClassVar[Text] = Text(zh="修改了评论", en="Comment edited")
    comment_id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(Event):
    """What somebody had said was deleted; its place stays."""

    kind: ClassVar[str] = "registry.comment_deleted.v1"
    title: ClassVar[Text] = Text(zh="删除了评论", en="Comment deleted")
    comment_id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned(Event):
    """Somebody was given something to do; what and, where that is no user, who is kept out."""

    kind: ClassVar[str] = "registry.task_assigned.v1"
    title: ClassVar[Text] = Text(zh="分派了任务", en="Task assigned")
    task_id: str
    about: str
    assignee: str
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """A task was changed; `fields` names what."""

    kind: ClassVar[str] = "registry.task_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了任务", en="Task changed")
    task_id: str
    about: str
    fields: tuple[str, ...]
    assignee: str
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone(Event):
    """A task was done."""

    kind: ClassVar[str] = "registry.task_done.v1"
    title: ClassVar[Text] = Text(zh="完成了任务", en="Task done")
    task_id: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReopened(Event):
    """A task that was done is to be done again."""

    kind: ClassVar[str] = "registry.task_reopened.v1"
    title: ClassVar[Text] = Text(zh="重新打开了任务", en="Task opened again")
    task_id: str
    about: str


EVENTS: tuple[type[Event], ...] = (
    FileAttached,
    FileWithdrawn,
    CommentMade,
    CommentEdited,
    CommentDeleted,
    TaskAssigned,
    TaskChanged,
    TaskDone,
    TaskReopened,
)
"""Everything that happens to files, comments and tasks.  The subject is the system, or what the note is about."""
