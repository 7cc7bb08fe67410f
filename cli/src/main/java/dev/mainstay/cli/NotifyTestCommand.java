package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.NearestName;
import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.notify.Channels;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/// `mainstay notify test CHANNEL`: from this host, without a server.
@Command(
        name = "test",
        description =
                "send a test through a channel of server.notifications, and say what became of it")
final class NotifyTestCommand implements Verb {
    @Parameters(paramLabel = "CHANNEL", description = "its name in the configuration")
    private String channel = "";

    @Override
    public Document run(Session session) {
        NotificationSettings settings = session.configuration().server().watch().notifications();
        demandKnown(settings.channels().keySet());
        Instant begin = session.clock().instant();
        String type =
                new Channels(
                                settings,
                                new Ground(session.clock(), session.random()),
                                Channels.PATIENCE)
                        .test(channel);
        return Document.of("channel " + channel + " took the test message")
                .add("channel", channel)
                .add("type", type)
                .add("duration", Duration.between(begin, session.clock().instant()));
    }

    private void demandKnown(Set<String> names) {
        if (!names.contains(channel)) {
            throw new MainstayException(
                    ErrorCode.CHANNEL_UNKNOWN,
                    "the configuration has no channel '" + channel + "'",
                    NearestName.of(channel, names)
                            .map(near -> "did you mean '" + near + "'?")
                            .orElse(
                                    names.isEmpty()
                                            ? "name one under server.notifications.channels"
                                            : "it has: " + String.join(", ", names)),
                    null);
        }
    }
}
