package dev.mainstay.cli;

import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.remote.PlaceLock;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.Optional;

/// `--accept-compliance URL`: what cannot be undone is agreed to by name.
final class ComplianceOption {
    @Option(
            names = "--accept-compliance",
            paramLabel = "URL",
            description = {
                "where nobody can be asked: agree that nobody, the account's owner included, can",
                "remove what is put there before its lock is over; the url as in the configuration"
            })
    private Optional<String> accepted = Optional.empty();

    /// Asks if new objects there will be locked in compliance mode.
    void confirm(Session session, RepositorySettings settings) throws IOException {
        Optional<PlaceLock> lock =
                settings.lock().filter(each -> each.mode() == LockMode.COMPLIANCE);
        if (lock.isPresent()) {
            Confirm.typed(
                    session,
                    "lock.mode is compliance: nobody, not even the owner of the account, will be"
                            + " able to remove what is put in "
                            + settings.url()
                            + " for "
                            + lock.get().days()
                            + " days and up to "
                            + lock.get().generationDays()
                            + " more, nor to shorten that, and it has to be paid for that long",
                    settings.url(),
                    accepted,
                    "--accept-compliance");
        }
    }
}
