package dev.mainstay.server.metrics;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;

import io.swagger.v3.oas.annotations.Operation;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/// `/metrics`, for Prometheus.
@RestController
public final class MetricsController {
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

    private final FactsKeeper keeper;
    private final boolean open;

    public MetricsController(FactsKeeper keeper, Surroundings surroundings) {
        this.keeper = keeper;
        this.open = surroundings.configuration().server().watch().metricsArePublic();
    }

    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "the state of protection, as Prometheus reads it")
    @GetMapping(path = "/metrics", produces = TEXT)
    String scrape() {
        if (!open) {
            Grants.demandWhole();
        }
        return Scrape.text(keeper.facts());
    }
}
