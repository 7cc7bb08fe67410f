package dev.mainstay.server.trace;

import dev.mainstay.engine.Progress;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.LongAdder;

/// Makes a span of each step.
final class TracedProgress implements Progress {
    private final Progress progress;
    private final Tracer tracer;
    private final Context work;
    private volatile @Nullable Step step;

    private record Step(Span span, LongAdder bytes) {}

    /// @param work what the steps are part of
    TracedProgress(Progress progress, Tracer tracer, Context work) {
        this.progress = progress;
        this.tracer = tracer;
        this.work = work;
    }

    @Override
    public synchronized void begin(String what, long totalBytes) {
        progress.begin(what, totalBytes);
        endStep();
        step = new Step(tracer.spanBuilder(what).setParent(work).startSpan(), new LongAdder());
    }

    @Override
    public void advance(long bytes) {
        progress.advance(bytes);
        Step now = step;
        if (now != null) {
            now.bytes.add(bytes);
        }
    }

    @Override
    public void note(String line) {
        progress.note(line);
    }

    @Override
    public synchronized void end() {
        progress.end();
        endStep();
    }

    synchronized void endStep() {
        Step now = step;
        if (now != null) {
            now.span.setAttribute("mainstay.bytes", now.bytes.sum());
            now.span.end();
            step = null;
        }
    }
}
