package dev.mainstay.server.api;

import dev.mainstay.server.schedule.Occurrence;
import dev.mainstay.server.schedule.ChangeClerk;
import dev.mainstay.server.schedule.ScheduleClerk;
import dev.mainstay.server.schedule.ScheduleTable;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// `/api/v1/schedules`
@RestController
public final class SchedulesController {
    private static final int SHOWN = 100;

    private final ScheduleClerk clerk;
    private final ChangeClerk changes;
    private final ScheduleTable table;

    public SchedulesController(ScheduleClerk clerk, ChangeClerk changes, ScheduleTable table) {
        this.clerk = clerk;
        this.changes = changes;
        this.table = table;
    }

    /// @param cron or what has to change first
    /// @param next or before when nothing is done about a change
    /// @param window the hours of the day in which alone its work begins
    @Schema(name = "Schedule")
    record View(
            String name,
            String cron,
            String timeZone,
            @Nullable String window,
            @Nullable Instant next) {}

    @Schema(name = "ScheduleTime")
    record Time(Instant time, String outcome, @Nullable String job) {}

    @GetMapping("/api/v1/schedules")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "when each schedule comes next")
    List<View> list() {
        return Stream.concat(clerk.next().stream(), changes.next().stream())
                .filter(each -> mayBeSeen(each.schedule()))
                .map(
                        each ->
                                new View(
                                        each.schedule(),
                                        each.cron(),
                                        each.zone(),
                                        each.window()
                                                .map(hours -> hours.from() + "-" + hours.to())
                                                .orElse(null),
                                        each.time().orElse(null)))
                .toList();
    }

    /// What became of a schedule's times, the newest first.
    @GetMapping("/api/v1/schedules/times")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "what became of a schedule's last hundred times, the newest first")
    List<Time> times(@RequestParam String name) {
        if (!mayBeSeen(name)) {
            Grants.demandWhole();
        }
        return table.occurrences(name, SHOWN).stream().map(SchedulesController::time).toList();
    }

    /// Copies have schedules, too: `NAME/copy`.
    private static boolean mayBeSeen(String schedule) {
        int end = schedule.lastIndexOf('/');
        return Grants.sources().isEmpty()
                || end > 0
                        && !schedule.endsWith("/copy")
                        && Grants.allow(schedule.substring(0, end));
    }

    private static Time time(Occurrence each) {
        return new Time(
                each.time(),
                each.outcome().name().toLowerCase(Locale.ROOT),
                each.job().orElse(null));
    }
}
