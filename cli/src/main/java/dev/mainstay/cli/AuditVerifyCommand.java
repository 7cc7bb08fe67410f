package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.repository.AuditProof;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.ServerAudit;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.time.Duration;
import java.time.Instant;

/// `mainstay audit verify`
@Command(
        name = "verify",
        description =
                "prove that nothing of the audit trail was altered, removed, put in another order"
                        + " or cut off")
final class AuditVerifyCommand implements Verb {
    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) {
        from.apply(session);
        ServerAudit.Proof proof;
        try (Repository repository = OpenSource.repository(session)) {
            proof = ServerAudit.prove(OpenSource.surroundings(session), repository);
        }
        AuditProof.Report report = proof.report();
        Document document =
                Document.of(headline(report))
                        .add("ok", report.ok())
                        .add("comparedWith", proof.state().toString())
                        .add("trails", trails(report, session.clock().instant()));
        if (!report.ok()) {
            document.addAll("findings", report.findings())
                    .add("hint", ErrorCode.AUDIT_BROKEN.hint())
                    .failing();
        }
        return document;
    }

    private static String headline(AuditProof.Report report) {
        if (!report.ok()) {
            return ErrorCode.AUDIT_BROKEN.id()
                    + ": the audit trail is not what was put on record: "
                    + report.findingCount()
                    + (report.findingCount() == 1 ? " finding" : " findings");
        }
        return report.trails().isEmpty()
                ? "there is no audit trail: no server has published one yet"
                : "nothing was altered, removed or put in another order up to the published heads";
    }

    private static Table trails(AuditProof.Report report, Instant now) {
        Table table =
                Table.of("trail", "entries", "publishedUpTo", "head", "published", "publishedAge");
        for (AuditProof.Trail each : report.trails()) {
            table.row(
                    each.trail(),
                    each.entries(),
                    each.published(),
                    each.head(),
                    each.when(),
                    each.when().map(when -> Duration.between(when, now)));
        }
        return table;
    }
}
