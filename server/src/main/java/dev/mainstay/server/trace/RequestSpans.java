package dev.mainstay.server.trace;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.jspecify.annotations.Nullable;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerMapping;

import java.io.IOException;
import java.util.Collections;
import java.util.Set;

/// A span for each request but those that ask whether the server is well. It takes over the trace
/// that the caller says it is part of, and is named by method and route: paths, queries and headers
/// may hold what nobody else should read.
final class RequestSpans extends OncePerRequestFilter {
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE");

    private final Tracing tracing;

    RequestSpans(Tracing tracing) {
        this.tracing = tracing;
    }

    private enum Headers implements TextMapGetter<HttpServletRequest> {
        OF_REQUEST;

        @Override
        public Iterable<String> keys(HttpServletRequest request) {
            return Collections.list(request.getHeaderNames());
        }

        @Override
        public @Nullable String get(@Nullable HttpServletRequest request, String name) {
            return request == null ? null : request.getHeader(name);
        }
    }

    @Override
    protected boolean shouldNotFilter(HttpServletRequest request) {
        String path = request.getRequestURI();
        return path.equals("/metrics") || path.equals("/health") || path.startsWith("/health/");
    }

    @Override
    protected void doFilterInternal(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Context caller =
                W3CTraceContextPropagator.getInstance()
                        .extract(Context.root(), request, Headers.OF_REQUEST);
        Span span = tracing.request(method(request), caller);
        boolean answered = false;
        try (Current _ = new Current(span)) {
            chain.doFilter(request, response);
            answered = true;
        } finally {
            if (answered && request.isAsyncStarted()) {
                request.getAsyncContext().addListener(new Later(span, request, response));
            } else {
                end(
                        span,
                        request,
                        answered
                                ? response.getStatus()
                                : HttpServletResponse.SC_INTERNAL_SERVER_ERROR);
            }
        }
    }

    /// Any word may be one.
    private static String method(HttpServletRequest request) {
        String method = request.getMethod();
        return METHODS.contains(method) ? method : "_OTHER";
    }

    private static void end(Span span, HttpServletRequest request, int status) {
        if (request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE)
                instanceof String route) {
            span.updateName(method(request) + " " + route);
            span.setAttribute("http.route", route);
        }
        span.setAttribute("http.response.status_code", (long) status);
        if (status >= HttpServletResponse.SC_INTERNAL_SERVER_ERROR) {
            span.setAttribute("error.type", Integer.toString(status));
            span.setStatus(StatusCode.ERROR);
        }
        span.end();
    }

    /// An answer that goes on when the thread has gone.
    private record Later(Span span, HttpServletRequest request, HttpServletResponse response)
            implements AsyncListener {
        @Override
        public void onComplete(AsyncEvent event) {
            end(span, request, response.getStatus());
        }

        @Override
        public void onTimeout(AsyncEvent event) {}

        @Override
        public void onError(AsyncEvent event) {}

        @Override
        public void onStartAsync(AsyncEvent event) {
            event.getAsyncContext().addListener(this);
        }
    }
}
