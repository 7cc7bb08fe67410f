package dev.mainstay.server.confirm;

import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.notify.NoticeTable;

import java.time.Instant;
import java.util.function.Supplier;

/// Calls the person who has to agree, through the channels of what is high: who asks, what would be
/// lost, and until when. Of the token it knows nothing.
public final class SecondPersonCall {
    private static final String NEWS = "confirmation";

    private final NoticeTable notices;
    private final Supplier<NotificationSettings> settings;

    public SecondPersonCall(NoticeTable notices, Supplier<NotificationSettings> settings) {
        this.notices = notices;
        this.settings = settings;
    }

    /// In the transaction in which it is asked for: whoever waits was told of.
    void asked(Confirmation confirmation, Instant now) {
        String what =
                confirmation.action()
                        + (confirmation.target().isEmpty() ? "" : " " + confirmation.target());
        String subject =
                "[CONFIRMATION] " + confirmation.askedBy() + " wants to " + what + ": do you agree?";
        String body =
                "Would be lost:\n- "
                        + String.join("\n- ", confirmation.words())
                        + "\nAsked by: "
                        + confirmation.askedBy()
                        + "\nGood until: "
                        + confirmation.expires()
                        + "\nWhat to do: as another person, with the role "
                        + confirmation.least().word()
                        + " at least, 'mainstay confirmations approve "
                        + confirmation.id()
                        + " --server URL' (or refuse), or POST /api/v1/confirmations/"
                        + confirmation.id()
                        + "/approve. If nobody agrees by then, nothing is done.";
        for (String channel : settings.get().route(Severity.HIGH)) {
            notices.putIfWanted(channel, NEWS, Severity.HIGH, subject, body, now);
        }
    }
}
