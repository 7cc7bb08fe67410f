package dev.mainstay.server.notify;

import dev.mainstay.engine.config.Severity;

import java.time.Instant;
import java.util.Optional;

/// Something that one channel is to tell.
///
/// @param news `fired`, `escalated`, `acknowledged` or `resolved`; else `report`, `confirmation` or
///   `test`
/// @param alert whose news it is
/// @param attempts how often that was tried
public record Notice(
        String id,
        String channel,
        String news,
        Optional<String> alert,
        Severity severity,
        String subject,
        String body,
        Instant created,
        int attempts) {
    boolean is(String word) {
        return news.equals(word);
    }
}
