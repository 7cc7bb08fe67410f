package dev.mainstay.server.api;

import dev.mainstay.server.job.Job;
import dev.mainstay.server.job.JobLine;
import dev.mainstay.server.job.JobTable;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;

import io.swagger.v3.oas.annotations.Operation;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.dao.DataAccessException;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// `/api/v1/jobs/{id}/events`: server-sent events, from the state, so that any server can tell of
/// any job.
@RestController
public final class JobEventsController implements ApplicationListener<ContextClosedEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(JobEventsController.class);
    private static final Duration PACE = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofHours(1);

    /// Each asks the state once a second.
    private static final int MOST = 200;

    private final JobTable table;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Semaphore free = new Semaphore(MOST);

    public JobEventsController(JobTable table) {
        this.table = table;
    }

    @Override
    public void onApplicationEvent(ContextClosedEvent over) {
        closing.countDown();
    }

    /// `job` for each change of it, `line` for each line of its log, `end` last of all. Who comes
    /// back with the id of the last line gets those that follow.
    @GetMapping(
            path = "/api/v1/jobs/{id}/events",
            produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "a job as it goes on: events 'job', 'line' and, last of all, 'end'")
    SseEmitter events(
            @PathVariable String id, @RequestHeader("Last-Event-ID") Optional<String> last) {
        JobsController.demandGrant(table.get(id).request());
        int from = last.map(JobEventsController::after).orElse(0);
        SseEmitter emitter = new SseEmitter(LONGEST.toMillis());
        if (!free.tryAcquire()) {
            emitter.complete(); // the browser comes back by itself
            return emitter;
        }
        CountDownLatch gone = new CountDownLatch(1);
        emitter.onCompletion(gone::countDown);
        emitter.onTimeout(emitter::complete);
        emitter.onError(_ -> gone.countDown());
        Thread.ofVirtual()
                .name("events of " + id)
                .start(
                        () -> {
                            try {
                                tell(emitter, id, from, gone);
                            } finally {
                                free.release();
                            }
                        });
        return emitter;
    }

    private static int after(String id) {
        try {
            return Math.max(0, Math.addExact(Integer.parseInt(id), 1));
        } catch (NumberFormatException | ArithmeticException notOurs) {
            return 0;
        }
    }

    private void tell(SseEmitter emitter, String id, int from, CountDownLatch gone) {
        int next = from;
        JobsController.@Nullable View told = null;
        try {
            while (gone.getCount() > 0) {
                Job job = table.get(id); // before its log: the end comes after all lines
                for (JobLine line : table.log(id, next)) {
                    emitter.send(
                            SseEmitter.event()
                                    .id(Integer.toString(line.number()))
                                    .name("line")
                                    .data(line, MediaType.APPLICATION_JSON));
                    next = line.number() + 1;
                }
                JobsController.View view = JobsController.View.of(job);
                boolean over = job.state().isEnd();
                if (over || !view.equals(told)) {
                    emitter.send(
                            SseEmitter.event()
                                    .name(over ? "end" : "job")
                                    .data(view, MediaType.APPLICATION_JSON));
                    told = view;
                }
                if (over || closing.await(PACE.toMillis(), TimeUnit.MILLISECONDS)) {
                    break;
                }
            }
            emitter.complete();
        } catch (IOException | IllegalStateException nobodyListens) {
            emitter.complete();
        } catch (DataAccessException away) {
            LOG.warn("events of job {} end: {}", id, away.getMessage());
            emitter.complete();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            emitter.complete();
        }
    }
}
