package dev.mainstay.server.notify;

import dev.mainstay.engine.config.ChannelSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;

import tools.jackson.databind.json.JsonMapper;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Programs, which take each alert by itself.
final class EventChannels {
    private static final int LONGEST_SUMMARY = 1024;

    private EventChannels() {}

    private static String json(Object value) {
        return JsonMapper.shared().writeValueAsString(value);
    }

    /// Events API version 2: one incident for each alert, by its id.
    record PagerDuty(ChannelSettings.PagerDuty settings, Posting posting) implements Channel {
        @Override
        public void send(List<Notice> notices) throws DeliveryFailure, InterruptedException {
            Notice notice = notices.getFirst();
            String action =
                    switch (notice.news()) {
                        case "resolved" -> "resolve";
                        case "acknowledged" -> "acknowledge";
                        default -> "trigger";
                    };
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("routing_key", settings.routingKey().reveal());
            event.put("event_action", action);
            event.put("dedup_key", "mainstay-" + notice.alert().orElse(notice.id()));
            if (action.equals("trigger")) {
                Map<String, Object> payload = new LinkedHashMap<>();
                payload.put("summary", summary(notice.subject()));
                payload.put("source", "mainstay");
                payload.put(
                        "severity",
                        notice.severity() == Severity.HIGH ? "error" : notice.severity().word());
                payload.put("timestamp", notice.created().toString());
                payload.put("custom_details", Map.of("text", notice.body()));
                event.put("payload", payload);
                event.put("client", "Mainstay");
            }
            posting.postJson(settings.url(), json(event), Map.of());
        }

        private static String summary(String text) {
            return text.length() <= LONGEST_SUMMARY ? text : text.substring(0, LONGEST_SUMMARY);
        }
    }

    /// An event in an envelope; the same alert is one issue.
    record Sentry(ChannelSettings.Sentry settings, Posting posting, Ground ground)
            implements Channel {
        @Override
        public void send(List<Notice> notices) throws DeliveryFailure, InterruptedException {
            Notice notice = notices.getFirst();
            URI dsn = URI.create(settings.dsn().reveal());
            String path = dsn.getPath();
            int slash = path.lastIndexOf('/');
            String project = path.substring(slash + 1);
            String key = String.valueOf(dsn.getUserInfo()).split(":", 2)[0];
            URI url =
                    URI.create(
                            dsn.getScheme()
                                    + "://"
                                    + dsn.getHost()
                                    + (dsn.getPort() < 0 ? "" : ":" + dsn.getPort())
                                    + path.substring(0, slash)
                                    + "/api/"
                                    + project
                                    + "/envelope/");
            String id = HexFormat.of().formatHex(ground.randomBytes(16));
            String event = json(event(notice, id));
            String envelope =
                    json(
                                    Map.of(
                                            "event_id",
                                            id,
                                            "sent_at",
                                            ground.clock().instant().toString()))
                            + "\n"
                            + json(
                                    Map.of(
                                            "type",
                                            "event",
                                            "content_type",
                                            "application/json",
                                            "length",
                                            event.getBytes(StandardCharsets.UTF_8).length))
                            + "\n"
                            + event
                            + "\n";
            posting.post(
                    url,
                    "application/x-sentry-envelope",
                    envelope.getBytes(StandardCharsets.UTF_8),
                    Map.of(
                            "X-Sentry-Auth",
                            "Sentry sentry_version=7, sentry_client=mainstay/1, sentry_key=" + key));
        }

        private static Map<String, Object> event(Notice notice, String id) {
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event_id", id);
            event.put("timestamp", notice.created().toString());
            event.put("platform", "other");
            event.put("logger", "mainstay");
            event.put("level", level(notice.severity()));
            event.put("message", Map.of("formatted", notice.subject()));
            event.put("fingerprint", List.of("mainstay", notice.alert().orElse(notice.id())));
            event.put("tags", Map.of("severity", notice.severity().word(), "news", notice.news()));
            event.put("extra", Map.of("text", notice.body()));
            return event;
        }

        private static String level(Severity severity) {
            return switch (severity) {
                case CRITICAL -> "fatal";
                case HIGH -> "error";
                case WARNING -> "warning";
                case INFO -> "info";
            };
        }
    }

    /// JSON, signed: `v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body.
    record Webhook(ChannelSettings.Webhook settings, Posting posting, Ground ground)
            implements Channel {
        @Override
        public void send(List<Notice> notices) throws DeliveryFailure, InterruptedException {
            Notice notice = notices.getFirst();
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("id", notice.id());
            body.put("news", notice.news());
            body.put("alert", notice.alert().orElse(""));
            body.put("severity", notice.severity().word());
            body.put("subject", notice.subject());
            body.put("text", notice.body());
            body.put("time", notice.created().toString());
            String text = json(body);
            String timestamp = Long.toString(ground.clock().instant().getEpochSecond());
            posting.postJson(
                    URI.create(settings.url().reveal()),
                    text,
                    Map.of(
                            "X-Mainstay-Timestamp",
                            timestamp,
                            "X-Mainstay-Delivery",
                            notice.id(),
                            "X-Mainstay-Signature",
                            "v1=" + signature(settings.secret().reveal(), timestamp + "." + text)));
        }

        static String signature(String secret, String text) {
            try {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(
                        new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
                return HexFormat.of()
                        .formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
            } catch (GeneralSecurityException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }
}
