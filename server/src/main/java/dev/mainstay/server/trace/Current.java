package dev.mainstay.server.trace;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.context.Scope;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/// While it is open, what the thread does is part of a span, and its log lines name that.
final class Current implements AutoCloseable {
    private static final String TRACE = "traceId";
    private static final String SPAN = "spanId";

    private final Scope scope;
    private final @Nullable String traceBefore = MDC.get(TRACE);
    private final @Nullable String spanBefore = MDC.get(SPAN);
    private final boolean named;

    @SuppressWarnings("MustBeClosedChecker") // closed below
    Current(Span span) {
        scope = span.makeCurrent();
        SpanContext context = span.getSpanContext();
        named = context.isValid();
        if (named) {
            MDC.put(TRACE, context.getTraceId());
            MDC.put(SPAN, context.getSpanId());
        }
    }

    @Override
    public void close() {
        if (named) {
            restore(TRACE, traceBefore);
            restore(SPAN, spanBefore);
        }
        scope.close();
    }

    private static void restore(String key, @Nullable String value) {
        if (value == null) {
            MDC.remove(key);
        } else {
            MDC.put(key, value);
        }
    }
}
