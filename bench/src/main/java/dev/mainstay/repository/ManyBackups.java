package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// Commit records by the thousand, each valid and linked to the one before, of what one real backup
/// recorded. The frames they name are that backup's: what lists and shows backups cannot tell, a
/// restore could.
public final class ManyBackups {
    private final Path root;
    private final CommittedBackup template;

    /// @param root the folder of the repository; what goes in there is not synced
    public ManyBackups(Path root, CommittedBackup template) {
        this.root = root;
        this.template = template;
    }

    /// Ends with a backup that began at `newest`.
    ///
    /// @param systemId of the cluster that they are of
    public void write(
            ProtectedSource into, String systemId, int count, Instant newest, Duration step)
            throws IOException {
        Json details =
                Json.parse("details", template.details().toBytes()).put("systemId", systemId);
        List<RecordChain.Event> records = into.records().records();
        long sequence = records.isEmpty() ? 0 : records.getLast().sequence();
        List<Json> heads =
                into.records().heads().stream()
                        .map(each -> head(each.object(), each.sha256()))
                        .toList();
        Vault vault = into.vault();
        for (int i = 0; i < count; i++) {
            Instant begin = newest.minus(step.multipliedBy(count - 1L - i));
            BackupId id = BackupId.of(begin, vault.ground.randomBytes(4));
            String name = Names.slot(into.id(), id);
            Json body =
                    Json.object()
                            .put("type", "commit")
                            .put("object", name)
                            .put("source", into.id().hex())
                            .put("sequence", sequence + 1 + i)
                            .put("written", begin.plusSeconds(40).toString())
                            .put("heads", heads)
                            .put("backup", id.text())
                            .put("backup-type", i % 7 == 0 ? "full" : "incremental")
                            .put("begin", begin.toString())
                            .put("end", begin.plusSeconds(30 + i % 600).toString())
                            .put("details", details)
                            .put("statistics", template.statistics());
            CommittedBackup.frames(template.manifest(), body, "manifest");
            CommittedBackup.frames(template.catalog(), body, "catalog");
            byte[] slot = vault.sealJson(ObjectType.SLOT, body);
            Path file = root.resolve(name);
            Files.createDirectories(file.getParent());
            Files.write(file, slot);
            heads = List.of(head(name, Bytes.sha256Hex(slot)));
        }
    }

    private static Json head(String object, String sha256) {
        return Json.object().put("object", object).put("sha256", sha256);
    }
}
