package dev.mainstay.server.confirm;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ConfirmationSettings;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.security.Caller;

import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// Leave to destroy something: who asks is told what would be lost and gets a token, which is good
/// once, for a few minutes, for him, and for exactly that. Where the configuration says so, another
/// person has to agree before. The state has it all: every server that shares it takes the token.
public final class Confirmations {
    private static final String PREFIX = "msc_";
    private static final int BYTES = 32;
    private static final Duration KEPT = Duration.ofDays(7);

    private final ConfirmationTable table;
    private final AuditTrail trail;
    private final TransactionOperations transactions;
    private final Supplier<ConfirmationSettings> settings;
    private final Ground ground;
    private final SecondPersonCall call;

    /// @param call is made where somebody else has to agree
    public Confirmations(
            ConfirmationTable table,
            AuditTrail trail,
            TransactionOperations transactions,
            Supplier<ConfirmationSettings> settings,
            Ground ground,
            SecondPersonCall call) {
        this.table = table;
        this.trail = trail;
        this.transactions = transactions;
        this.settings = settings;
        this.ground = ground;
        this.call = call;
    }

    /// A confirmation and, for once, its token.
    public record Issued(Confirmation confirmation, Secret token) {}

    /// @throws MainstayException ROLE_LACKING
    public Issued ask(Danger danger, Caller caller) {
        caller.demand(danger.least());
        String token =
                PREFIX
                        + Base64.getUrlEncoder()
                                .withoutPadding()
                                .encodeToString(ground.randomBytes(BYTES));
        Instant now = now();
        Confirmation asked =
                new Confirmation(
                        HexFormat.of().formatHex(ground.randomBytes(6)),
                        danger.action().name().toLowerCase(Locale.ROOT),
                        danger.target(),
                        danger.source(),
                        danger.least(),
                        danger.digest(),
                        danger.words(),
                        caller.name(),
                        caller.persons(),
                        now,
                        now.plus(settings.get().valid()),
                        settings.get().secondPerson(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty());
        transactions.executeWithoutResult(
                _ -> {
                    table.forgetBefore(now.minus(KEPT));
                    table.insert(asked, digest(token));
                    trail.append(
                            caller.name(),
                            "",
                            "confirmation asked",
                            asked.what(),
                            danger.digest().substring(0, 16));
                    if (asked.secondPerson()) {
                        call.asked(asked, now);
                    }
                });
        return new Issued(asked, Secret.of(token));
    }

    /// @throws MainstayException CONFIRMATION_UNKNOWN
    public Confirmation get(String id) {
        return table.get(id)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.CONFIRMATION_UNKNOWN,
                                        "there is no confirmation " + id));
    }

    /// The newest first; those of more than a week ago are in the audit trail alone.
    public List<Confirmation> list() {
        return table.list();
    }

    /// Somebody else than who asked agrees.
    ///
    /// @throws MainstayException CONFIRMATION_UNKNOWN, CONFIRMATION_OWN, CONFIRMATION_OVER,
    ///   ROLE_LACKING
    public Confirmation approve(String id, Caller caller) {
        Confirmation asked = get(id);
        caller.demand(asked.least());
        if (caller.persons().mayBe(asked.persons())) {
            throw refused(
                    caller,
                    asked,
                    new MainstayException(
                            ErrorCode.CONFIRMATION_OWN,
                            "confirmation "
                                    + id
                                    + " was asked for by "
                                    + asked.askedBy()
                                    + ", who may be the same person as "
                                    + caller.name()));
        }
        change(
                asked,
                caller,
                "confirmation approved",
                () -> table.approve(id, caller.name(), now()));
        return get(id);
    }

    /// Nobody can use it any more.
    ///
    /// @throws MainstayException CONFIRMATION_UNKNOWN, CONFIRMATION_OVER, ROLE_LACKING
    public Confirmation refuse(String id, Caller caller) {
        Confirmation asked = get(id);
        caller.demand(asked.least());
        change(
                asked,
                caller,
                "confirmation refused",
                () -> table.refuse(id, caller.name(), now()));
        return get(id);
    }

    private interface Change {
        boolean isMade();
    }

    private void change(Confirmation asked, Caller caller, String action, Change change) {
        transactions.executeWithoutResult(
                _ -> {
                    if (!change.isMade()) {
                        throw over(asked.id());
                    }
                    trail.append(caller.name(), "", action, asked.what(), "done");
                });
    }

    private MainstayException over(String id) {
        Confirmation now = get(id);
        Confirmation.State state = now.state(now());
        String how =
                now.approvedBy().isPresent() && state == Confirmation.State.GOOD
                        ? "approved already"
                        : state.name().toLowerCase(Locale.ROOT);
        return new MainstayException(
                ErrorCode.CONFIRMATION_OVER, "confirmation " + id + " is " + how);
    }

    /// Judges whether something may be destroyed.
    ///
    /// @param token what came with the request; where nothing would be lost it needs none
    /// @return what uses the confirmation up, or fails: to be run with what it is for, in one
    ///   transaction where that is possible, and before it where it is not
    /// @throws MainstayException CONFIRMATION_ABSENT, CONFIRMATION_INVALID, CONFIRMATION_OVER,
    ///   CONFIRMATION_OTHER, CONFIRMATION_WAITS
    public Runnable admit(Danger danger, Optional<String> token, Caller caller) {
        if (token.isEmpty() && danger.isNone()) {
            return () -> {};
        }
        if (token.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_ABSENT,
                    "this destroys something, and nobody has confirmed it: "
                            + danger.words().stream().findFirst().orElse(""));
        }
        Confirmation asked =
                table.withToken(digest(token.get()))
                        .filter(each -> each.askedBy().equals(caller.name()))
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.CONFIRMATION_INVALID,
                                                "the Confirmation-Token is none that "
                                                        + caller.name()
                                                        + " was given"));
        switch (asked.state(now())) {
            case USED, REFUSED, EXPIRED -> throw refused(caller, asked, over(asked.id()));
            case WAITING -> throw refused(caller, asked, waits(asked));
            case GOOD -> {
                if (settings.get().secondPerson() && asked.approvedBy().isEmpty()) {
                    throw refused(caller, asked, waits(asked));
                }
            }
        }
        if (!asked.bound().equals(danger.digest())) {
            throw refused(
                    caller,
                    asked,
                    new MainstayException(
                            ErrorCode.CONFIRMATION_OTHER,
                            "confirmation "
                                    + asked.id()
                                    + " is for another request, or other things would be lost now"));
        }
        return () -> change(asked, caller, "confirmation used", () -> table.use(asked.id(), now()));
    }

    private static MainstayException waits(Confirmation asked) {
        return new MainstayException(
                ErrorCode.CONFIRMATION_WAITS,
                "confirmation " + asked.id() + " waits for a second person",
                "somebody else has to agree: POST /api/v1/confirmations/"
                        + asked.id()
                        + "/approve",
                null);
    }

    private MainstayException refused(
            Caller caller, Confirmation asked, MainstayException why) {
        trail.append(
                caller.name(), "", "confirmation not accepted", asked.what(), why.code().id());
        return why;
    }

    private Instant now() {
        return ground.clock().instant();
    }

    private static String digest(String token) {
        return Bytes.sha256Hex(token);
    }
}
