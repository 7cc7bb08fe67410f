package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.ShreddedSource;
import dev.mainstay.repository.format.Json;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `mainstay backups [SOURCE]` and `mainstay backups show|hold|release ID`
@Command(name = "backups")
final class BackupsCommand implements Verb {
    @Parameters(
            arity = "0..2",
            paramLabel = "SOURCE | show ID | hold ID | release ID",
            description =
                    "only this source's backups; or everything about one backup; or keep 'expire'"
                            + " from removing one; or no longer")
    private List<String> words = List.of();

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            description = "with hold: why, for those who come later")
    private Optional<String> reason = Optional.empty();

    @Option(
            names = "--yes",
            description = "with release and --server: do not ask; a server has it confirmed")
    private boolean yes;

    @Mixin private FromOption from = new FromOption();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            return remote(session);
        }
        from.apply(session);
        if (from.isGiven() && words.size() == 2 && !words.getFirst().equals("show")) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "a copy is only read: '" + words.getFirst() + "' is for the repository itself",
                    "leave out --from",
                    null);
        }
        try (Repository repository = OpenSource.repository(session)) {
            if (words.size() == 2) {
                return switch (words.getFirst()) {
                    case "show" -> show(repository, words.get(1));
                    case "hold" -> hold(repository, words.get(1));
                    case "release" -> release(repository, words.get(1));
                    default -> throw Usage.notUnderstood("backups", words);
                };
            }
            List<String> damaged = new ArrayList<>();
            List<ProtectedSource> sources =
                    words.isEmpty()
                            ? FoundBackup.readable(repository, damaged)
                            : List.of(OpenSource.known(session, repository, words.getFirst()));
            Document document = list(sources, damaged);
            List<ShreddedSource> shredded = words.isEmpty() ? repository.shredded() : List.of();
            return shredded.isEmpty()
                    ? document
                    : document.add("shreddedSources", Keys.shredded(shredded));
        }
    }

    private Document remote(Session session) throws IOException {
        server.without("--from or --as-of", from.isAnyGiven());
        if (words.size() < 2) {
            return RemoteBackups.list(server, session, words.stream().findFirst());
        }
        String id = words.get(1);
        return switch (words.getFirst()) {
            case "show" -> RemoteBackups.show(server, session, id);
            case "hold" -> RemoteBackups.hold(server, session, id, why(id));
            case "release" -> RemoteWork.release(server, session, id, yes);
            default -> throw Usage.notUnderstood("backups", words);
        };
    }

    private static Document list(List<ProtectedSource> sources, List<String> damaged) {
        Table table =
                Table.of("source", "backup", "type", "status", "begin", "size", "stored", "held");
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
                        ByteSize.of(backup.statistics().number("bytes-stored")),
                        Optional.ofNullable(chain.holds().get(backup.id())).map(Hold::reason));
                count++;
            }
        }
        Document document = count == 0 ? Document.of("no backups yet") : Document.untitled();
        document.add("backups", table);
        return damaged.isEmpty()
                ? document
                : document.addAll("warnings", damaged).add("hint", ErrorCode.OBJECT_DAMAGED.hint());
    }

    private String why(String text) {
        return reason.map(String::strip)
                .filter(given -> !given.isEmpty())
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.USAGE_INVALID,
                                        "say why the backup is held",
                                        "mainstay backups hold " + text + " --reason TEXT",
                                        null));
    }

    private Document hold(Repository repository, String text) {
        String why = why(text);
        FoundBackup found = FoundBackup.of(repository, text);
        found.source().hold(found.backup().id(), why);
        return Document.of("backup " + found.backup().id() + " is held until it is released")
                .add("source", found.source().name())
                .add("backup", found.backup().id().text())
                .add("held", why);
    }

    private static Document release(Repository repository, String text) {
        FoundBackup found = FoundBackup.of(repository, text);
        found.source().release(found.backup().id());
        return Document.of("backup " + found.backup().id() + " is not held any more")
                .add("source", found.source().name())
                .add("backup", found.backup().id().text());
    }

    private static Document show(Repository repository, String text) {
        FoundBackup found = FoundBackup.of(repository, text);
        return document(found.source(), found.backup());
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
                        .add(
                                "held",
                                Optional.ofNullable(source.records().holds().get(backup.id()))
                                        .map(Hold::reason))
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
        BackupDetails.received(backup.details())
                .ifPresent(bytes -> document.add("received", ByteSize.of(bytes)));
        Changes.read(backup.details())
                .ifPresent(changes -> document.add("readWhat", changes.text()));
        return document;
    }
}
