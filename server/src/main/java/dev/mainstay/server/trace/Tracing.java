package dev.mainstay.server.trace;

import dev.mainstay.engine.config.Secret;
import dev.mainstay.engine.config.TracingSettings;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Begins the spans of a server. They are sent by a thread of its own, from a queue that loses what
/// does not fit: a collector that is away, slow or wrong harms nothing else.
///
/// No span has anything of a request but its method and its route, nor the words of an error: only
/// its number.
public final class Tracing implements AutoCloseable {
    private static final String SCOPE = "dev.mainstay";
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration SEND = Duration.ofSeconds(10);
    private static final Duration SEND_AT_MOST = Duration.ofSeconds(15);
    private static final Duration GATHER = Duration.ofSeconds(1);
    private static final int QUEUE = 2048;
    private static final int BATCH = 512;

    /// For what is left when the server stops.
    private static final Duration FAREWELL = Duration.ofSeconds(2);

    /// Jobs that wait to be tried for the first time, or for the next.
    private static final int MOST_JOBS = 1000;

    private final Optional<SdkTracerProvider> provider;
    private final Tracer tracer;
    private final Map<String, SpanContext> submitters =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, SpanContext> eldest) {
                    return size() > MOST_JOBS;
                }
            };

    private Tracing(Optional<SdkTracerProvider> provider) {
        this.provider = provider;
        this.tracer =
                provider.<TracerProvider>map(each -> each)
                        .orElseGet(TracerProvider::noop)
                        .get(SCOPE);
    }

    /// One that tells nobody.
    public static Tracing off() {
        return new Tracing(Optional.empty());
    }

    /// @param server how this one is called among those that share a state
    /// @param clock says when the log was last told of a failure
    public static Tracing of(TracingSettings settings, String server, InstantSource clock) {
        AttributesBuilder self = Attributes.builder();
        self.put("service.name", settings.serviceName());
        self.put("service.instance.id", server);
        Optional.ofNullable(Tracing.class.getPackage().getImplementationVersion())
                .ifPresent(version -> self.put("service.version", version));
        SpanExport export =
                new SpanExport(
                        exporter(settings), String.valueOf(settings.endpoint().getHost()), clock);
        return new Tracing(
                Optional.of(
                        SdkTracerProvider.builder()
                                .setResource(
                                        Resource.getDefault().merge(Resource.create(self.build())))
                                .setSampler(
                                        Sampler.parentBased(
                                                Sampler.traceIdRatioBased(settings.sample())))
                                .addSpanProcessor(
                                        BatchSpanProcessor.builder(export)
                                                .setScheduleDelay(GATHER)
                                                .setExporterTimeout(SEND_AT_MOST)
                                                .setMaxQueueSize(QUEUE)
                                                .setMaxExportBatchSize(BATCH)
                                                .build())
                                .build()));
    }

    private static OtlpHttpSpanExporter exporter(TracingSettings settings) {
        OtlpHttpSpanExporterBuilder exporter =
                OtlpHttpSpanExporter.builder()
                        .setEndpoint(settings.endpoint().toString())
                        .setConnectTimeout(CONNECT)
                        .setTimeout(SEND);
        for (Map.Entry<String, Secret> header : settings.headers().entrySet()) {
            exporter.addHeader(header.getKey(), header.getValue().reveal());
        }
        settings.caFile()
                .ifPresent(
                        file -> {
                            try {
                                exporter.setTrustedCertificates(Files.readAllBytes(file));
                            } catch (IOException gone) {
                                throw new UncheckedIOException(gone); // it was there a moment ago
                            }
                        });
        return exporter.build();
    }

    /// Remembers who submits a job, for those of its attempts that this server makes. What another
    /// server or a schedule submitted begins a trace of its own.
    public void submitting(String job) {
        SpanContext who = Span.current().getSpanContext();
        if (who.isValid()) {
            synchronized (submitters) {
                submitters.put(job, who);
            }
        }
    }

    private Context submitter(String job) {
        synchronized (submitters) {
            SpanContext who = submitters.get(job);
            return who == null ? Context.root() : Context.root().with(Span.wrap(who));
        }
    }

    /// @param job its id
    /// @param kind what it does, in a word
    /// @param target whom to; empty for the whole repository
    /// @param number of the attempt, from 1 on
    public TracedWork attempt(String job, String kind, String target, int number) {
        return new TracedWork(
                tracer,
                tracer.spanBuilder("job " + kind)
                        .setParent(submitter(job))
                        .setAttribute("mainstay.job.id", job)
                        .setAttribute("mainstay.job.kind", kind)
                        .setAttribute("mainstay.job.target", target)
                        .setAttribute(AttributeKey.longKey("mainstay.job.attempt"), number)
                        .startSpan());
    }

    /// @param channel its name
    /// @param type slack and the like
    /// @param notices how many it is told at once
    public TracedWork delivery(String channel, String type, int notices) {
        return new TracedWork(
                tracer,
                tracer.spanBuilder("notify " + type)
                        .setSpanKind(SpanKind.CLIENT)
                        .setAttribute("mainstay.channel", channel)
                        .setAttribute(AttributeKey.longKey("mainstay.notices"), notices)
                        .startSpan());
    }

    /// @param caller what it says of the trace that it is part of
    Span request(String method, Context caller) {
        return tracer.spanBuilder(method)
                .setParent(caller)
                .setSpanKind(SpanKind.SERVER)
                .setAttribute("http.request.method", method)
                .startSpan();
    }

    /// Sends what is left, for two seconds at most.
    @Override
    public void close() {
        provider.ifPresent(
                each -> each.shutdown().join(FAREWELL.toMillis(), TimeUnit.MILLISECONDS));
    }
}
