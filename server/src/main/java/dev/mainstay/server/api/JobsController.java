package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Danger;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.job.Job;
import dev.mainstay.server.job.JobAttempt;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.job.JobFailure;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobLine;
import dev.mainstay.server.job.JobProgress;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.job.JobState;
import dev.mainstay.server.job.JobTable;
import dev.mainstay.server.job.OnceDesk;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// `/api/v1/jobs`
@RestController
public final class JobsController {
    private final JobTable table;
    private final JobDesk desk;
    private final OnceDesk once;
    private final Dangers dangers;
    private final Confirmations confirmations;
    private final RepositoryView view;

    public JobsController(
            JobTable table,
            JobDesk desk,
            OnceDesk once,
            Dangers dangers,
            Confirmations confirmations,
            RepositoryView view) {
        this.view = view;
        this.table = table;
        this.desk = desk;
        this.once = once;
        this.dangers = dangers;
        this.confirmations = confirmations;
    }

    /// @param bytesLeftSeconds at the rate so far
    @Schema(name = "JobStep")
    record Step(
            String what, long bytesDone, long bytesTotal, long bytesPerSecond, @Nullable Long bytesLeftSeconds) {
        static Step of(JobProgress progress) {
            return new Step(
                    progress.step(),
                    progress.done(),
                    progress.total(),
                    progress.rate(),
                    progress.secondsLeft().isPresent()
                            ? progress.secondsLeft().getAsLong()
                            : null);
        }
    }

    /// @param attempts how often it was tried
    /// @param due when it is tried again
    @Schema(name = "Job")
    record View(
            String id,
            String kind,
            String target,
            String state,
            String requestedBy,
            Instant created,
            @Nullable Instant started,
            @Nullable Instant ended,
            int attempts,
            @Nullable Instant due,
            @Nullable Step progress,
            @Nullable JobFailure failure,
            Map<String, String> result) {
        static View of(Job job) {
            return new View(
                    job.id(),
                    job.request().kind().word(),
                    job.request().target(),
                    job.state().word(),
                    job.request().requestedBy(),
                    job.created(),
                    job.started().orElse(null),
                    job.ended().orElse(null),
                    job.attempts(),
                    job.due().orElse(null),
                    job.progress().map(Step::of).orElse(null),
                    job.failure().orElse(null),
                    job.result());
        }
    }

    @Schema(name = "JobAttempt")
    record AttemptView(
            int number,
            String server,
            String state,
            Instant started,
            @Nullable Instant ended,
            @Nullable JobFailure failure) {
        static AttemptView of(JobAttempt attempt) {
            return new AttemptView(
                    attempt.number(),
                    attempt.server(),
                    attempt.state().word(),
                    attempt.started(),
                    attempt.ended().orElse(null),
                    attempt.failure().orElse(null));
        }
    }

    /// @param next the cursor of the next page
    @Schema(name = "JobPage")
    record Page(List<View> jobs, @Nullable String next) {}

    /// @param backup of a verification: the only one that is looked at
    @Schema(name = "JobWanted")
    record Wanted(
            @Nullable String kind,
            @Nullable String target,
            @Nullable String type,
            @Nullable String backup) {}

    @GetMapping("/api/v1/jobs")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "jobs, the newest first")
    Page list(
            @RequestParam Optional<String> target,
            @RequestParam Optional<String> state,
            @RequestParam Optional<String> cursor,
            @RequestParam(defaultValue = "100") int limit) {
        PageLimit.demand(limit);
        List<Job> jobs = table.list(
                        target, state.map(JobsController::state), cursor, limit, Grants.sources());
        return new Page(
                jobs.stream().map(View::of).toList(),
                jobs.size() < limit ? null : jobs.getLast().id());
    }

    private static JobState state(String word) {
        for (JobState state : JobState.values()) {
            if (state.word().equals(word)) {
                return state;
            }
        }
        throw new MainstayException(ErrorCode.USAGE_INVALID, "'" + word + "' is no state of a job");
    }

    @GetMapping("/api/v1/jobs/{id}")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "a job: how far it is, what became of it")
    View show(@PathVariable String id) {
        return View.of(granted(id));
    }

    /// A job that whoever asks may see.
    private Job granted(String id) {
        Job job = table.get(id);
        demandGrant(job.request());
        return job;
    }

    static void demandGrant(JobRequest request) {
        boolean ofSource =
                switch (request.kind()) {
                    case BACKUP,
                            EXPIRE,
                            VERIFY,
                            VERIFY_BACKUP,
                            AMCHECK,
                            RESTORE,
                            VALIDATE_RESTORE ->
                            !request.target().isEmpty();
                    case PRUNE, COPY -> false;
                };
        if (ofSource) {
            Grants.demand(request.target());
        } else {
            Grants.demandWhole();
        }
    }

    @GetMapping("/api/v1/jobs/{id}/log")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "what a job noted")
    List<JobLine> log(@PathVariable String id, @RequestParam(defaultValue = "0") int from) {
        granted(id);
        return table.log(id, from);
    }

    @GetMapping("/api/v1/jobs/{id}/attempts")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "each try at a job, the first one first")
    List<AttemptView> attempts(@PathVariable String id) {
        granted(id);
        return table.attempts(id).stream().map(AttemptView::of).toList();
    }

    @PostMapping("/api/v1/jobs")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(
            summary =
                    "queues a job: backup, expire, prune, copy, verify or amcheck; what removes"
                            + " something has to be confirmed")
    @ResponseStatus(HttpStatus.ACCEPTED)
    View start(
            @RequestBody Wanted wanted,
            @RequestHeader("Idempotency-Key") Optional<String> key,
            @RequestHeader("Confirmation-Token") Optional<String> confirmation,
            Principal who) {
        JobRequest request =
                wanted.backup() == null
                        ? request(wanted, who.getName())
                        : ofBackup(wanted, wanted.backup(), who.getName());
        demandGrant(request);
        Optional<Supplier<Danger>> danger =
                switch (request.kind()) {
                    case EXPIRE -> Optional.of(() -> dangers.expire(request.target()));
                    case PRUNE -> Optional.of(dangers::prune);
                    case BACKUP,
                            COPY,
                            VERIFY,
                            VERIFY_BACKUP,
                            AMCHECK,
                            RESTORE,
                            VALIDATE_RESTORE ->
                            Optional.empty();
                };
        return View.of(
                danger.isEmpty()
                        ? once.submit(request, key)
                        : once.submit(
                                request,
                                key,
                                () -> admitted(request, danger.get().get(), confirmation)));
    }

    /// A job that removes what was confirmed, and nothing else.
    private OnceDesk.Admitted admitted(
            JobRequest request, Danger danger, Optional<String> confirmation) {
        Runnable use = confirmations.admit(danger, confirmation, Caller.current());
        return new OnceDesk.Admitted(
                request.kind() == JobKind.EXPIRE
                        ? request.removing(danger.bound().getOrDefault(request.target(), ""))
                        : request,
                use);
    }

    private JobRequest ofBackup(Wanted wanted, String backup, String who) {
        String kind = Optional.ofNullable(wanted.kind()).orElse("");
        boolean verifies = List.of("verify", "verify-backup").contains(kind);
        if (!verifies || wanted.type() != null) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "backup names what 'verify' looks at");
        }
        FoundBackup found = view.backup(backup);
        String source = found.source().name();
        if (wanted.target() != null
                && !wanted.target().isEmpty()
                && !wanted.target().equals(source)) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "target is another source than that of backup " + found.backup().id());
        }
        return JobRequest.verifying(source, found.backup().id(), who);
    }

    private static JobRequest request(Wanted wanted, String who) {
        Map<String, String> parameters = new HashMap<>();
        try {
            JobKind kind = JobKind.parse(Optional.ofNullable(wanted.kind()).orElse(""));
            if (kind == JobKind.PRUNE && wanted.target() != null && !wanted.target().isEmpty()) {
                throw new IllegalArgumentException("prune is of the whole repository");
            }
            if (kind == JobKind.VERIFY_BACKUP) {
                throw new IllegalArgumentException("verify-backup needs backup, its id");
            }
            if (kind == JobKind.RESTORE || kind == JobKind.VALIDATE_RESTORE) {
                throw new IllegalArgumentException(
                        kind.word() + " is started by /api/v1/restores");
            }
            if (wanted.type() != null) {
                if (kind != JobKind.BACKUP
                        || !List.of("auto", "full", "incremental").contains(wanted.type())) {
                    throw new IllegalArgumentException(
                            "'" + wanted.type() + "' is no type of " + kind.word());
                }
                parameters.put("type", wanted.type());
            }
            return new JobRequest(
                    kind, Optional.ofNullable(wanted.target()).orElse(""), parameters, who);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, String.valueOf(wrong.getMessage()), wrong);
        }
    }

    @PostMapping("/api/v1/jobs/{id}/cancel")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(summary = "ends a job early")
    @ResponseStatus(HttpStatus.ACCEPTED)
    View cancel(@PathVariable String id) {
        granted(id);
        desk.cancel(id);
        return View.of(table.get(id));
    }
}
