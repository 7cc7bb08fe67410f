package dev.mainstay.server.trace;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.concurrent.CompletionException;

/// Tells the log once that spans do not arrive, and once that they do again; not more often than
/// every ten minutes.
final class SpanExport implements SpanExporter {
    private static final Logger LOG = LoggerFactory.getLogger(SpanExport.class);
    private static final Duration QUIET = Duration.ofMinutes(10);

    private final SpanExporter exporter;
    private final String collector;
    private final InstantSource clock;
    private Instant quietUntil = Instant.MIN;
    private boolean told;

    /// @param collector how the log calls it
    SpanExport(SpanExporter exporter, String collector, InstantSource clock) {
        this.exporter = exporter;
        this.collector = collector;
        this.clock = clock;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        CompletableResultCode sent = exporter.export(spans);
        return sent.whenComplete(
                () -> {
                    if (sent.isSuccess()) {
                        arrived();
                    } else {
                        lost(sent.getFailureThrowable());
                    }
                });
    }

    private synchronized void lost(@Nullable Throwable why) {
        Instant now = clock.instant();
        if (told || now.isBefore(quietUntil)) {
            return;
        }
        told = true;
        quietUntil = now.plus(QUIET);
        Throwable cause = why == null ? null : why.getCause();
        while ((cause instanceof CompletionException || cause instanceof UncheckedIOException)
                && cause.getCause() != null) {
            cause = cause.getCause(); // what wraps it says nothing
        }
        LOG.warn(
                "traces do not arrive at {} ({}): they are lost, and nothing else suffers",
                collector,
                cause == null ? "it did not take them" : cause.getClass().getSimpleName());
    }

    private synchronized void arrived() {
        if (told) {
            told = false;
            LOG.info("traces arrive at {} again", collector);
        }
    }

    @Override
    public CompletableResultCode flush() {
        return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return exporter.shutdown();
    }
}
