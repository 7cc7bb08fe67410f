package dev.mainstay.server.notify;

import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;

/// `/api/v1/notifications`
@RestController
public final class NotificationsController {
    private static final int SHOWN = 200;

    private final Channels channels;
    private final NoticeTable table;

    public NotificationsController(Channels channels, NoticeTable table) {
        this.channels = channels;
        this.table = table;
    }

    @Schema(name = "Channel")
    record View(String name, String type) {}

    /// @param state pending, sent, failed or dropped
    @Schema(name = "Delivery")
    record Delivery(
            String id,
            String channel,
            String news,
            @Nullable String alert,
            String subject,
            String state,
            int attempts,
            Instant created,
            Instant due,
            @Nullable Instant sent,
            @Nullable String error) {}

    @GetMapping("/api/v1/notifications")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "the channels of the configuration")
    List<View> list() {
        return channels.names().stream().map(name -> new View(name, channels.type(name))).toList();
    }

    @GetMapping("/api/v1/notifications/deliveries")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "what was told lately, to whom, and what became of it")
    List<Delivery> deliveries() {
        return table.list(SHOWN).stream()
                .map(
                        each ->
                                new Delivery(
                                        each.notice().id(),
                                        each.notice().channel(),
                                        each.notice().news(),
                                        each.notice().alert().orElse(null),
                                        each.notice().subject(),
                                        each.state(),
                                        each.notice().attempts(),
                                        each.notice().created(),
                                        each.due(),
                                        each.sent().orElse(null),
                                        each.error().orElse(null)))
                .toList();
    }

    @PostMapping("/api/v1/notifications/{channel}/test")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "tells a channel that this is a test")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void test(@PathVariable String channel) {
        channels.test(channel);
    }
}
