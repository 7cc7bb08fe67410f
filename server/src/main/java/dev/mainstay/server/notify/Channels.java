package dev.mainstay.server.notify;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ChannelSettings;
import dev.mainstay.engine.config.Followed;
import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// The channels of the configuration.
public final class Channels {
    /// How long a channel may take to answer.
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Supplier<NotificationSettings> settings;
    private final Followed<NotificationSettings, Map<String, Channel>> channels;
    private final Ground ground;

    /// @param patience for what a channel has to answer
    public Channels(NotificationSettings settings, Ground ground, Duration patience) {
        this(() -> settings, ground, patience);
    }

    /// @param settings may be others each time they are asked for
    public Channels(
            Supplier<NotificationSettings> settings, Ground ground, Duration patience) {
        this.ground = ground;
        this.settings = settings;
        this.channels =
                new Followed<>(
                        settings,
                        each -> {
                            Map<String, Channel> all = new LinkedHashMap<>();
                            each.channels()
                                    .forEach(
                                            (name, one) ->
                                                    all.put(name, channel(one, ground, patience)));
                            return all;
                        });
    }

    private static Channel channel(ChannelSettings settings, Ground ground, Duration patience) {
        return switch (settings) {
            case ChannelSettings.Email email -> new MailChannel(email, patience);
            case ChannelSettings.Slack slack ->
                    new ChatChannels.Slack(slack, new Posting(slack.caFile(), patience));
            case ChannelSettings.Teams teams ->
                    new ChatChannels.Teams(teams, new Posting(teams.caFile(), patience));
            case ChannelSettings.PagerDuty duty ->
                    new EventChannels.PagerDuty(duty, new Posting(duty.caFile(), patience));
            case ChannelSettings.Sentry sentry ->
                    new EventChannels.Sentry(sentry, new Posting(sentry.caFile(), patience), ground);
            case ChannelSettings.Webhook hook ->
                    new EventChannels.Webhook(hook, new Posting(hook.caFile(), patience), ground);
        };
    }

    Set<String> names() {
        return channels.get().keySet();
    }

    /// @throws MainstayException CHANNEL_UNKNOWN
    Channel get(String name) {
        return Optional.ofNullable(channels.get().get(name))
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.CHANNEL_UNKNOWN,
                                        "there is no channel '" + name + "'"));
    }

    /// Tells a channel that it is a test, at once.
    ///
    /// @return what kind of channel took it
    /// @throws MainstayException CHANNEL_UNKNOWN, CHANNEL_FAILED, INTERRUPTED
    public String test(String name) {
        Channel channel = get(name);
        Instant now = ground.clock().instant();
        Notice notice =
                new Notice(
                        "test-" + now.getEpochSecond(),
                        name,
                        "test",
                        Optional.empty(),
                        Severity.INFO,
                        "[TEST] Mainstay can reach you",
                        "Somebody asked Mainstay to try the channel " + name + ". Nothing is wrong.",
                        now,
                        0);
        try {
            channel.send(List.of(notice));
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopping);
        } catch (DeliveryFailure failed) {
            throw new MainstayException(
                    ErrorCode.CHANNEL_FAILED,
                    "channel " + name + ": " + failed.getMessage(),
                    failed);
        }
        return type(name);
    }

    Optional<Channel> find(String name) {
        return Optional.ofNullable(channels.get().get(name));
    }

    /// Whether a channel has any use for news of a kind: people want to hear what happens, programs
    /// that keep incidents also who looks after them.
    boolean wants(String name, String news) {
        ChannelSettings channel = settings.get().channels().get(name);
        return switch (channel) {
            case null -> false;
            case ChannelSettings.Sentry _ -> news.equals("fired") || news.equals("escalated");
            case ChannelSettings.PagerDuty _ -> !news.equals("confirmation");
            case ChannelSettings.Webhook _ -> true;
            default -> !news.equals("acknowledged");
        };
    }

    String type(String name) {
        ChannelSettings channel = settings.get().channels().get(name);
        return switch (channel) {
            case null -> "";
            case ChannelSettings.Email _ -> "email";
            case ChannelSettings.Slack _ -> "slack";
            case ChannelSettings.Teams _ -> "teams";
            case ChannelSettings.PagerDuty _ -> "pagerduty";
            case ChannelSettings.Sentry _ -> "sentry";
            case ChannelSettings.Webhook _ -> "webhook";
        };
    }
}
