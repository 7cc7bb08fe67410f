package dev.mainstay.server;

import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.schedule.ChangeClerk;
import dev.mainstay.server.schedule.ScheduleClerk;
import dev.mainstay.server.wal.Receivers;

import org.springframework.context.SmartLifecycle;

/// Jobs and receivers begin last of all, and end first.
final class WorkBegins implements SmartLifecycle {
    private final JobDesk desk;
    private final ScheduleClerk clerk;
    private final ChangeClerk changes;
    private final Receivers receivers;
    private volatile boolean running;

    WorkBegins(JobDesk desk, ScheduleClerk clerk, ChangeClerk changes, Receivers receivers) {
        this.desk = desk;
        this.clerk = clerk;
        this.changes = changes;
        this.receivers = receivers;
    }

    @Override
    public void start() {
        desk.start(
                now -> {
                    clerk.tick(now);
                    changes.tick(now);
                });
        receivers.start();
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        receivers.stop(); // while jobs end
        desk.close();
        receivers.await();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
