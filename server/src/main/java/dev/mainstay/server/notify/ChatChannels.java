package dev.mainstay.server.notify;

import dev.mainstay.engine.config.ChannelSettings;

import tools.jackson.databind.json.JsonMapper;

import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Chats, which take one message for everything.
final class ChatChannels {
    /// Teams refuses messages of more than 28 KB.
    private static final int LONGEST = 20_000;

    private ChatChannels() {}

    /// Incoming webhooks of Slack.
    record Slack(ChannelSettings.Slack settings, Posting posting) implements Channel {
        @Override
        public boolean isGrouping() {
            return true;
        }

        @Override
        public void send(List<Notice> notices) throws DeliveryFailure, InterruptedException {
            List<String> parts = new ArrayList<>();
            for (Notice each : notices) {
                parts.add("*" + escaped(each.subject()) + "*\n" + escaped(each.body()));
            }
            String text = cut(String.join("\n\n", parts));
            posting.postJson(
                    URI.create(settings.url().reveal()),
                    JsonMapper.shared().writeValueAsString(Map.of("text", text)),
                    Map.of());
        }

        /// The three that mean something to Slack.
        private static String escaped(String text) {
            return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
        }
    }

    /// Workflows of Teams that begin when a webhook request is received: an adaptive card.
    record Teams(ChannelSettings.Teams settings, Posting posting) implements Channel {
        @Override
        public boolean isGrouping() {
            return true;
        }

        @Override
        public void send(List<Notice> notices) throws DeliveryFailure, InterruptedException {
            List<Map<String, Object>> blocks = new ArrayList<>();
            for (Notice each : notices) {
                blocks.add(block(each.subject(), Map.of("weight", "Bolder", "size", "Medium")));
                blocks.add(block(cut(each.body()), Map.of()));
            }
            Map<String, Object> card = new LinkedHashMap<>();
            card.put("$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
            card.put("type", "AdaptiveCard");
            card.put("version", "1.4");
            card.put("body", blocks);
            Map<String, Object> attachment = new LinkedHashMap<>();
            attachment.put("contentType", "application/vnd.microsoft.card.adaptive");
            attachment.put("content", card);
            Map<String, Object> message =
                    Map.of("type", "message", "attachments", List.of(attachment));
            posting.postJson(
                    URI.create(settings.url().reveal()),
                    JsonMapper.shared().writeValueAsString(message),
                    Map.of());
        }

        private static Map<String, Object> block(String text, Map<String, String> more) {
            Map<String, Object> block = new LinkedHashMap<>();
            block.put("type", "TextBlock");
            block.put("text", text.replace("\n", "\n\n")); // one alone is a space there
            block.put("wrap", true);
            block.putAll(more);
            return block;
        }
    }

    private static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + " …";
    }
}
