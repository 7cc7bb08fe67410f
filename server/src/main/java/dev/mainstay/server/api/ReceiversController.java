package dev.mainstay.server.api;

import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.server.job.JobFailure;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.wal.ReceiverReport;
import dev.mainstay.server.wal.ReceiverTable;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;

/// `/api/v1/receivers`
@RestController
public final class ReceiversController {
    private final ReceiverTable table;

    public ReceiversController(ReceiverTable table) {
        this.table = table;
    }

    /// Lags are ages of the oldest byte that is not there yet.
    @Schema(name = "ReceiverPositions")
    record Positions(
            long timeline,
            String server,
            String spooled,
            String stored,
            double spooledLagSeconds,
            double storedLagSeconds,
            long waitingBytes) {
        static Positions of(ReceiverStatus status) {
            return new Positions(
                    status.timeline().value(),
                    status.server().toString(),
                    status.spooled().toString(),
                    status.stored().toString(),
                    status.spooledLag().toMillis() / 1000.0,
                    status.storedLag().toMillis() / 1000.0,
                    status.waiting().bytes());
        }
    }

    @Schema(name = "Receiver")
    record View(
            String source,
            String state,
            Instant since,
            Instant seen,
            String server,
            @Nullable Positions positions,
            @Nullable String warning,
            @Nullable JobFailure failure) {
        static View of(ReceiverReport report) {
            return new View(
                    report.source(),
                    report.state().word(),
                    report.since(),
                    report.seen(),
                    report.server(),
                    report.status().map(Positions::of).orElse(null),
                    report.warning().orElse(null),
                    report.failure().orElse(null));
        }
    }

    @GetMapping("/api/v1/receivers")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "how the WAL of each source fares")
    List<View> list() {
        return table.list().stream()
                .filter(report -> Grants.allow(report.source()))
                .map(View::of).toList();
    }
}
