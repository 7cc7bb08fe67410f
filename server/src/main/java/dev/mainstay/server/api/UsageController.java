package dev.mainstay.server.api;

import dev.mainstay.engine.retention.RepositoryUsage;
import dev.mainstay.repository.Amount;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// `/api/v1/usage`, by the names that `mainstay usage --output json` has
@RestController
public final class UsageController {
    private final RepositoryView view;

    public UsageController(RepositoryView view) {
        this.view = view;
    }

    @Schema(name = "UsageOfKind")
    record Kind(String kind, long objects, long sizeBytes) {
        static Kind of(Map.Entry<String, Amount> kind) {
            return new Kind(kind.getKey(), kind.getValue().objects(), kind.getValue().bytes());
        }
    }

    /// @param compression bytes of pages for each stored byte
    /// @param sharing how many times each stored byte serves a backup
    @Schema(name = "UsageOfSource")
    record OfSource(
            String source,
            int backups,
            long logicalBytes,
            long packsBytes,
            long walBytes,
            @Nullable Double compression,
            @Nullable Double sharing) {
        static OfSource of(RepositoryUsage.OfSource source) {
            return new OfSource(
                    source.name(),
                    source.backups(),
                    source.logicalBytes(),
                    source.packs().bytes(),
                    source.wal().bytes(),
                    orNull(source.compression()),
                    orNull(source.sharing()));
        }

        private static @Nullable Double orNull(OptionalDouble number) {
            return number.isPresent() ? number.getAsDouble() : null;
        }
    }

    /// @param aloneBytes packs that it alone needs
    @Schema(name = "UsageOfBackup")
    record OfBackup(
            String source,
            String backup,
            String type,
            Instant ended,
            long logicalBytes,
            long storedBytes,
            long aloneBytes) {
        static OfBackup of(RepositoryUsage.OfBackup backup) {
            return new OfBackup(
                    backup.source(),
                    backup.id().text(),
                    backup.type(),
                    backup.end(),
                    backup.logicalBytes(),
                    backup.storedBytes(),
                    backup.alone().bytes());
        }
    }

    /// @param unneededPacksBytes what prune may free
    /// @param growthAWeekBytes of late
    @Schema(name = "Usage")
    record Usage(
            long sizeBytes,
            long objects,
            long unneededPacksBytes,
            @Nullable Long growthAWeekBytes,
            List<Kind> kinds,
            List<OfSource> sources,
            List<OfBackup> backups) {}

    @GetMapping("/api/v1/usage")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "what the repository's space is used for, and what would free it")
    Usage usage() {
        RepositoryUsage usage = view.usage();
        return new Usage(
                usage.total().bytes(),
                usage.total().objects(),
                usage.unneeded().bytes(),
                usage.weeklyBytes().orElse(null),
                new TreeMap<>(usage.kinds()).entrySet().stream().map(Kind::of).toList(),
                usage.sources().stream().map(OfSource::of).toList(),
                usage.backups().stream().map(OfBackup::of).toList());
    }
}
