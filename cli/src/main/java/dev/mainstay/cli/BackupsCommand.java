package dev.mainstay.cli;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.format.Json;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `mainstay backups [SOURCE]` and `mainstay backups show ID`
@Command(name = "backups")
final class BackupsCommand implements Verb {
    @Parameters(
            arity = "0..2",
            paramLabel = "SOURCE | show ID",
            description = "only this source's backups, or everything about one backup")
    private List<String> words = List.of();

    @Override
    public Document run(Session session) {
        try (Repository repository = OpenSource.repository(session)) {
            if (words.size() == 2) {
                if (!words.getFirst().equals("show")) {
                    throw new MainstayException(
                            ErrorCode.USAGE_INVALID,
                            "'backups " + String.join(" ", words) + "' is not understood",
                            "see 'mainstay backups --help'",
                            null);
                }
                return show(repository, words.get(1));
            }
            List<String> damaged = new ArrayList<>();
            List<ProtectedSource> sources =
                    words.isEmpty()
                            ? readable(repository, damaged)
                            : List.of(OpenSource.known(session, repository, words.getFirst()));
            return list(sources, damaged);
        }
    }

    /// A source whose key is damaged is told, and keeps nobody from the others.
    private static List<ProtectedSource> readable(Repository repository, List<String> damaged) {
        return repository.sources(
                (object, why) -> {
                    if (why.code() == ErrorCode.STORE_UNAVAILABLE) {
                        throw why;
                    }
                    damaged.add(
                            object
                                    + ", the key of a source, cannot be read ("
                                    + why.code().id()
                                    + ": "
                                    + why.getMessage()
                                    + ")");
                });
    }

    private static Document list(List<ProtectedSource> sources, List<String> damaged) {
        Table table = Table.of("source", "backup", "type", "status", "begin", "size", "stored");
        int count = 0;
        for (ProtectedSource source : sources) {
            RecordChain chain = source.records();
            chain.damaged().forEach(each -> damaged.add(source.name() + ": " + each));
            for (DamagedRecord each : chain.damagedBackups()) {
                table.row(
                        source.name(),
                        each.backup().orElseThrow().text(),
                        Optional.empty(),
                        "damaged",
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty());
                count++;
            }
            for (CommittedBackup backup : chain.backups()) {
                table.row(
                        source.name(),
                        backup.id().text(),
                        backup.type(),
                        BackupDetails.find(backup)
                                .map(details -> details.judgement().status())
                                .orElse("damaged"),
                        backup.begin(),
                        ByteSize.of(backup.statistics().number("bytes")),
                        ByteSize.of(backup.statistics().number("bytes-stored")));
                count++;
            }
        }
        Document document = count == 0 ? Document.of("no backups yet") : Document.untitled();
        document.add("backups", table);
        return damaged.isEmpty()
                ? document
                : document.addAll("warnings", damaged).add("hint", ErrorCode.OBJECT_DAMAGED.hint());
    }

    private static Document show(Repository repository, String text) {
        BackupId id;
        try {
            id = BackupId.parse(text);
        } catch (IllegalArgumentException notAnId) {
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN, "'" + text + "' is no backup id", notAnId);
        }
        List<String> damaged = new ArrayList<>();
        for (ProtectedSource source : readable(repository, damaged)) {
            try {
                return document(source, source.backup(id));
            } catch (MainstayException notHere) {
                if (notHere.code() != ErrorCode.BACKUP_UNKNOWN) {
                    throw notHere;
                }
            }
        }
        throw new MainstayException(
                ErrorCode.BACKUP_UNKNOWN,
                "there is no backup " + id + (damaged.isEmpty() ? "" : "; " + damaged.getFirst()));
    }

    private static Document document(ProtectedSource source, CommittedBackup backup) {
        BackupDetails details = BackupDetails.read(backup.details());
        Json counts = backup.statistics();
        Document document =
                Document.of("backup " + backup.id() + " of " + source.name())
                        .add("source", source.name())
                        .add("backup", backup.id().text())
                        .add("type", backup.type())
                        .add("method", BackupDetails.method(backup.details()))
                        .add("from", BackupDetails.from(backup.details()))
                        .add("status", details.judgement().status())
                        .add("begin", backup.begin())
                        .add("end", backup.end())
                        .add("duration", Duration.between(backup.begin(), backup.end()))
                        .add("serverVersion", details.server().version())
                        .add("systemId", details.systemId().toString())
                        .add("timeline", details.timeline().toString())
                        .add("startLsn", details.startLsn().toString())
                        .add("stopLsn", details.stopLsn().toString())
                        .add("walFrom", details.startSegment().fileName())
                        .add("walTo", details.stopSegment().fileName())
                        .add("files", counts.number("files"))
                        .add("size", ByteSize.of(counts.number("bytes")))
                        .add("read", ByteSize.of(counts.number("bytes-read")))
                        .add("stored", ByteSize.of(counts.number("bytes-stored")))
                        .add("pagesChanged", counts.number("pages-changed"))
                        .add("pagesStored", counts.number("pages-stored"))
                        .add("pagesRefreshed", counts.number("pages-refreshed"))
                        .add("refreshDebtPages", counts.number("refresh-debt-pages"))
                        .add("checksums", details.layout().checksums())
                        .addAll("warnings", details.judgement().warnings())
                        .addAll("vanished", details.judgement().vanished())
                        .addAll(
                                "damaged",
                                details.judgement().damagedPages().stream()
                                        .map(page -> page.path() + " block " + page.block())
                                        .toList());
        Changes.read(backup.details())
                .ifPresent(changes -> document.add("readWhat", changes.text()));
        return document;
    }
}
