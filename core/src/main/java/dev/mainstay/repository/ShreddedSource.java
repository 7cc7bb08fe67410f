package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.Json;

import java.time.DateTimeException;
import java.time.Instant;

/// A source whose keys were destroyed on purpose: what it stored can never be read again.
///
/// @param when it was decided
/// @param reason as whoever did it said
public record ShreddedSource(SourceId id, String name, Instant when, String reason) {
    Json toJson() {
        return Json.object()
                .put("source", id.hex())
                .put("name", name)
                .put("shredded", when.toString())
                .put("reason", reason);
    }

    static ShreddedSource read(String object, Json body) {
        try {
            ShreddedSource read =
                    new ShreddedSource(
                            SourceId.parse(body.string("source")),
                            body.string("name"),
                            Instant.parse(body.string("shredded")),
                            body.string("reason"));
            if (Names.shredded(read.id).equals(object)) {
                return read;
            }
        } catch (IllegalArgumentException | DateTimeException malformed) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + object + " is malformed", malformed);
        }
        throw new MainstayException(
                ErrorCode.KEY_OBJECT_DAMAGED, "object " + object + " belongs to another source");
    }

    /// What who asks for it is told.
    MainstayException refusal() {
        return new MainstayException(
                ErrorCode.SOURCE_SHREDDED,
                "source '"
                        + name
                        + "' was shredded on "
                        + when
                        + " ("
                        + reason
                        + "): nobody can read its backups and its WAL any more");
    }
}
