"""The belt's memory: durable, hash-chained, provable, recoverable, searchable records of every exchange.

A folder of segments `seg-00000001.log`, only ever appended to.  One line is one record::

    <core JSON> TAB <content JSON> LF

The *core* holds public facts, is chained (`prev` is the SHA-256 of the core before) and is the leaf of the
segment's RFC 6962 tree.  The *content* is bound by a salted digest and can be blanked in place without breaking
any proof.  At most a second after a record a signed head (C2SP tlog-checkpoint) commits to it in `heads.log`; a
finished segment's root goes to the ledger.

* `line` the format · `head` signed heads · `limits` every number and why · `disk` durable files
* `segment` the segment being written · `seals` telling the ledger · `writer` group commit · `recover` after a crash
* `verify` find what was changed · `reader` read and prove · `index` rows for search · `erase` forget content
"""
