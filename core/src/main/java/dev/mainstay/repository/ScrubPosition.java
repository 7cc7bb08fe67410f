package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.StoredObject;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How far a repository was read piece by piece: objects below `scrub/`, the newest of which counts
/// (docs/format.md section 10). It lies in the repository, so any host can go on. One that is gone
/// or damaged costs only that something is read again.
///
/// @param after name of the object that was read last; empty to begin
/// @param written when that was, by the clock of who read
/// @param begun when this round through all objects began
/// @param before when the round before began: everything was read since
public record ScrubPosition(
        String after, Optional<Instant> written, Instant begun, Optional<Instant> before) {
    private static final String PREFIX = "scrub/";

    /// Where the last one stopped.
    public static ScrubPosition last(Repository repository) {
        Vault vault = repository.rootVault();
        for (StoredObject object : Listing.all(vault.store, PREFIX).reversed()) {
            try {
                String name = object.name();
                Json body = vault.openJson(name, ObjectType.PROGRESS, vault.get(name));
                if (body.string("object").equals(name)) {
                    return read(body);
                }
            } catch (MainstayException | DateTimeException unreadable) {
                if (unreadable instanceof MainstayException failed
                        && BegunBackup.isPassing(failed)) {
                    throw failed;
                } // an older one will do
            }
        }
        return new ScrubPosition(
                "", Optional.empty(), repository.ground().clock().instant(), Optional.empty());
    }

    private static ScrubPosition read(Json body) {
        return new ScrubPosition(
                body.string("after"),
                Optional.of(Instant.parse(body.string("written"))),
                Instant.parse(body.string("begun")),
                body.find("before").map(Instant::parse));
    }

    /// Puts it down, and removes older ones.
    public void put(Repository repository) {
        Vault vault = repository.rootVault();
        List<StoredObject> older = Listing.all(vault.store, PREFIX);
        long number = older.isEmpty() ? 1 : number(older.getLast().name()) + 1;
        String unique = HexFormat.of().formatHex(vault.ground.randomBytes(4));
        String name = String.format(Locale.ROOT, "%s%016x-%s", PREFIX, number, unique);
        Json body =
                Json.object()
                        .put("object", name)
                        .put("after", after)
                        .put("written", vault.ground.clock().instant().toString())
                        .put("begun", begun.toString());
        before.ifPresent(time -> body.put("before", time.toString()));
        vault.put(name, vault.sealJson(ObjectType.PROGRESS, body));
        for (StoredObject each : older) {
            DeleteOutcome _ = vault.store.delete(each.name());
        }
    }

    private static long number(String name) {
        try {
            return Long.parseLong(name, PREFIX.length(), PREFIX.length() + 16, 16);
        } catch (IndexOutOfBoundsException | NumberFormatException foreign) {
            return 0;
        }
    }
}
