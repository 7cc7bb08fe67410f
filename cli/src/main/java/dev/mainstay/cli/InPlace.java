package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.restore.DeltaRestore;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.repository.ProtectedSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// `restore --delta`: what is asked and what is told of a restore into a directory that holds the
/// cluster already.
final class InPlace {
    private final Session session;
    private final RestorePlan plan;
    private final DeltaRestore restore;

    InPlace(Session session, ProtectedSource source, RestorePlan plan) {
        this.session = session;
        this.plan = plan;
        this.restore = new DeltaRestore(source, plan, session.progress());
    }

    /// What it would do.
    Document planned(Document document) {
        DeltaRestore.Outlook outlook = restore.look();
        document.add("inPlace", true)
                .add("filesToRemove", outlook.filesRemoved())
                .add("directoriesToRemove", outlook.directoriesRemoved());
        if (!outlook.removedNames().isEmpty()) {
            document.addAll("removes", outlook.removedNames());
        }
        return notes(document, outlook);
    }

    /// @param stopsServer a command is going to run that may stop the server
    /// @throws dev.mainstay.base.MainstayException `CONFIRMATION_NEEDED` unless somebody agreed
    void confirm(boolean yes, boolean stopsServer) throws IOException {
        DeltaRestore.Outlook outlook = stopsServer ? restore.lookRunning() : restore.look();
        List<String> directories = new ArrayList<>();
        directories.add(plan.request().directory().toString());
        plan.tablespaces().forEach(each -> directories.add(each.to().toString()));
        Confirm.danger(
                session,
                "in "
                        + String.join(", ", directories)
                        + " everything that is not as in the backup will be overwritten, and "
                        + outlook.filesRemoved()
                        + " files and "
                        + outlook.directoriesRemoved()
                        + " directories that it does not have will be removed",
                yes);
    }

    /// Restores and tells what was done.
    DeltaRestore.Result run() {
        return restore.execute();
    }

    static Document told(Document document, DeltaRestore.Result result) {
        document.add("inPlace", true)
                .add("compared", ByteSize.of(result.compared()))
                .add("kept", ByteSize.of(result.kept()))
                .add("rewritten", ByteSize.of(result.rewritten()))
                .add("fetched", ByteSize.of(result.fetched()))
                .add("filesRemoved", result.outlook().filesRemoved())
                .add("directoriesRemoved", result.outlook().directoriesRemoved());
        return notes(document, result.outlook());
    }

    private static Document notes(Document document, DeltaRestore.Outlook outlook) {
        if (!outlook.notes().isEmpty()) {
            document.addAll("leftAlone", outlook.notes());
        }
        return document;
    }
}
