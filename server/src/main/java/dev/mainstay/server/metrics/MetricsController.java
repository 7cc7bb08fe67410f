package dev.mainstay.server.metrics;

import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/// `/metrics`, for Prometheus.
@RestController
public final class MetricsController {
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final FactsKeeper keeper;

    public MetricsController(FactsKeeper keeper) {
        this.keeper = keeper;
    }

    @LeastRole(Role.VIEWER)
    @Operation(summary = "the state of protection, as Prometheus reads it")
    @GetMapping(path = "/metrics", produces = TEXT)
    String scrape() {
        return Scrape.text(keeper.facts());
    }
}
