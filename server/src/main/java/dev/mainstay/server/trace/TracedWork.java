package dev.mainstay.server.trace;

import dev.mainstay.engine.Progress;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;

import java.util.Optional;

/// A span of work that is done by the thread that begins it, and closes it.
public final class TracedWork implements AutoCloseable {
    private final Tracer tracer;
    private final Span span;
    private final Current current;
    private Optional<TracedProgress> steps = Optional.empty();

    TracedWork(Tracer tracer, Span span) {
        this.tracer = tracer;
        this.span = span;
        this.current = new Current(span);
    }

    /// Makes a span of each step that is told of.
    public Progress telling(Progress progress) {
        if (!span.isRecording()) {
            return progress;
        }
        TracedProgress telling = new TracedProgress(progress, tracer, Context.current());
        steps = Optional.of(telling);
        return telling;
    }

    /// The work is over; what the thread does until this is closed belongs to it, but takes none of
    /// its time.
    ///
    /// @param outcome in a word
    /// @param error its number: `MS-0604`
    public void end(String outcome, Optional<String> error) {
        steps.ifPresent(TracedProgress::endStep);
        span.setAttribute("mainstay.outcome", outcome);
        error.ifPresent(
                number -> {
                    span.setAttribute("error.type", number);
                    span.setStatus(StatusCode.ERROR, number);
                });
        span.end();
    }

    @Override
    public void close() {
        steps.ifPresent(TracedProgress::endStep);
        span.end(); // a second time is none
        current.close();
    }
}
