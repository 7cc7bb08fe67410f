package dev.mainstay.server.report;

import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/// `/api/v1/reports`
@RestController
public final class ReportsController {
    private final ReportClerk clerk;

    public ReportsController(ReportClerk clerk) {
        this.clerk = clerk;
    }

    @GetMapping("/api/v1/reports/daily")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "the daily report, as things are now")
    DailyReport daily() {
        return clerk.now();
    }

    @GetMapping(path = "/api/v1/reports/daily/page", produces = "text/html;charset=utf-8")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "the same as a page")
    String page() {
        return clerk.now().html();
    }
}
