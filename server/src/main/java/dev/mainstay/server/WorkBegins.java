package dev.mainstay.server;

import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.schedule.ScheduleClerk;

import org.springframework.context.SmartLifecycle;

/// Jobs begin last of all, and end first.
final class WorkBegins implements SmartLifecycle {
    private final JobDesk desk;
    private final ScheduleClerk clerk;
    private volatile boolean running;

    WorkBegins(JobDesk desk, ScheduleClerk clerk) {
        this.desk = desk;
        this.clerk = clerk;
    }

    @Override
    public void start() {
        desk.start(clerk::tick);
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        desk.close();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
