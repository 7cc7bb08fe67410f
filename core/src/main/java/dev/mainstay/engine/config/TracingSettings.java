package dev.mainstay.engine.config;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// The section `server.tracing`: where a server sends its spans.
///
/// @param endpoint that takes them, by OTLP over HTTP
/// @param sample the share of the traces that nobody began elsewhere, from 0 to 1
/// @param headers that go with them
/// @param caFile PEM, of who vouches for the endpoint's certificate
/// @param serviceName as which this server is known there
public record TracingSettings(
        URI endpoint,
        double sample,
        Map<String, Secret> headers,
        Optional<Path> caFile,
        String serviceName) {
    public TracingSettings {
        headers = Map.copyOf(headers);
    }
}
