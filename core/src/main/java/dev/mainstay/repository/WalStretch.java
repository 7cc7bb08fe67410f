package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.format.Json;

/// Segments of one timeline that follow each other, in the archive of one source.
///
/// @param last of the same timeline and size, not before the first
public record WalStretch(SourceId source, SystemId system, WalSegment first, WalSegment last) {
    public WalStretch {
        if (!first.timeline().equals(last.timeline())
                || first.sizeBytes() != last.sizeBytes()
                || last.number() < first.number()) {
            throw new IllegalArgumentException(first + " to " + last + " is no stretch");
        }
    }

    public long segments() {
        return last.number() - first.number() + 1;
    }

    /// As claims and records name it (docs/format.md sections 9 and 10).
    Json toJson() {
        return Json.object()
                .put("source", source.hex())
                .put("system", system.toString())
                .put("segmentSize", first.sizeBytes())
                .put("first", first.fileName())
                .put("last", last.fileName());
    }

    static WalStretch read(String object, Json json) {
        try {
            int size = Math.toIntExact(json.number("segmentSize"));
            return new WalStretch(
                    SourceId.parse(json.string("source")),
                    SystemId.parse(json.string("system")),
                    WalSegment.parse(json.string("first"), size),
                    WalSegment.parse(json.string("last"), size));
        } catch (IllegalArgumentException | ArithmeticException wrong) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "object " + object + " names no WAL", wrong);
        }
    }
}
