package dev.mainstay.server;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.api.ApiDocument;
import dev.mainstay.server.api.AuditController;
import dev.mainstay.server.api.BackupsController;
import dev.mainstay.server.api.ConfigurationController;
import dev.mainstay.server.api.ConfirmationsController;
import dev.mainstay.server.api.CopiesController;
import dev.mainstay.server.api.JobEventsController;
import dev.mainstay.server.api.JobsController;
import dev.mainstay.server.api.OverviewController;
import dev.mainstay.server.api.Problems;
import dev.mainstay.server.api.ReceiversController;
import dev.mainstay.server.api.RecoveryController;
import dev.mainstay.server.api.RestoresController;
import dev.mainstay.server.api.PruneController;
import dev.mainstay.server.api.RetentionController;
import dev.mainstay.server.api.SchedulesController;
import dev.mainstay.server.api.SourcesController;
import dev.mainstay.server.api.TokensController;
import dev.mainstay.server.api.UsageController;
import dev.mainstay.server.audit.AuditClerk;
import dev.mainstay.server.audit.AuditPublisher;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.audit.Refusals;
import dev.mainstay.server.confirm.ConfirmationTable;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.confirm.SecondPersonCall;
import dev.mainstay.server.job.EngineWork;
import dev.mainstay.server.job.JobCounts;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.job.JobTable;
import dev.mainstay.server.job.JobWork;
import dev.mainstay.server.job.OnceDesk;
import dev.mainstay.server.notify.NoticeTable;
import dev.mainstay.server.operators.OperatorsBeans;
import dev.mainstay.server.live.ConfigurationReload;
import dev.mainstay.server.live.LiveConfiguration;
import dev.mainstay.server.metrics.FactsKeeper;
import dev.mainstay.server.schedule.ChangeClerk;
import dev.mainstay.server.schedule.ScheduleClerk;
import dev.mainstay.server.schedule.ScheduleTable;
import dev.mainstay.server.security.SecurityRules;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;
import dev.mainstay.server.trace.TracingBeans;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.server.wal.ReceiverTable;
import dev.mainstay.server.wal.Receivers;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionOperations;
import org.springframework.transaction.support.TransactionTemplate;

import javax.sql.DataSource;

/// What the server is made of.
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({
    SecurityRules.class,
    TracingBeans.class,
    OperatorsBeans.class,
    Problems.class,
    ApiDocument.class,
    AuditController.class,
    BackupsController.class,
    ConfigurationController.class,
    ConfirmationsController.class,
    CopiesController.class,
    JobEventsController.class,
    JobsController.class,
    OverviewController.class,
    RecoveryController.class,
    RestoresController.class,
    RetentionController.class,
    PruneController.class,
    UsageController.class,
    SourcesController.class,
    ReceiversController.class,
    SchedulesController.class,
    TokensController.class,
    WatchBeans.class
})
class ServerBeans {
    @Bean(destroyMethod = "") // StateDatabase closes it
    DataSource dataSource(StateDatabase state) {
        return state.source();
    }

    @Bean
    TransactionOperations transactions(PlatformTransactionManager manager) {
        return new TransactionTemplate(manager);
    }

    @Bean
    TokenTable tokenTable(JdbcClient jdbc, Surroundings surroundings) {
        return new TokenTable(jdbc, surroundings.ground());
    }

    @Bean
    ServerName serverName(Surroundings surroundings) {
        return ServerName.next(surroundings.ground());
    }

    @Bean
    AuditTrail auditTrail(
            JdbcClient jdbc,
            TransactionOperations transactions,
            Surroundings surroundings,
            ServerName server) {
        return new AuditTrail(jdbc, transactions, surroundings.ground(), server).begun();
    }

    @Bean
    ConfigurationReload configurationReload(LiveConfiguration live, AuditTrail trail) {
        return new ConfigurationReload(live, trail);
    }

    @Bean
    Refusals refusals(AuditTrail trail, Surroundings surroundings) {
        return new Refusals(trail, surroundings.ground());
    }

    @Bean
    AuditClerk auditClerk(AuditTrail trail, Surroundings surroundings, Refusals refusals) {
        return new AuditClerk(trail, new AuditPublisher(surroundings, trail), refusals);
    }

    @Bean
    JobTable jobTable(JdbcClient jdbc, TransactionOperations transactions, AuditTrail trail) {
        return new JobTable(
                jdbc,
                transactions,
                (who, action, target, outcome) ->
                        trail.append(who, "", action, target, outcome));
    }

    @Bean
    JobCounts jobCounts(JdbcClient jdbc) {
        return new JobCounts(jdbc);
    }

    @Bean
    RepositoryView repositoryView(Surroundings surroundings) {
        return new RepositoryView(surroundings);
    }

    @Bean
    Dangers dangers(RepositoryView view, Surroundings surroundings) {
        return new Dangers(view, surroundings);
    }

    @Bean
    Confirmations confirmations(
            JdbcClient jdbc,
            AuditTrail trail,
            TransactionOperations transactions,
            NoticeTable notices,
            Surroundings surroundings) {
        return new Confirmations(
                new ConfirmationTable(jdbc),
                trail,
                transactions,
                () -> surroundings.configuration().server().confirmations(),
                surroundings.ground(),
                new SecondPersonCall(
                        notices,
                        () -> surroundings.configuration().server().watch().notifications()));
    }

    @Bean
    JobWork jobWork(Surroundings surroundings) {
        return new EngineWork(surroundings);
    }

    @Bean(destroyMethod = "") // WorkBegins closes it
    JobDesk jobDesk(
            Surroundings surroundings,
            StateDatabase state,
            ServerName server,
            JobTable table,
            TransactionOperations transactions,
            JobWork work,
            JobDesk.Pace pace,
            Tracing tracing) {
        return new JobDesk(surroundings, state, server, table, transactions, work, pace, tracing);
    }

    @Bean
    OnceDesk onceDesk(
            JobDesk desk,
            JobTable table,
            JdbcClient jdbc,
            TransactionOperations transactions,
            Surroundings surroundings) {
        return new OnceDesk(
                desk, table, jdbc, transactions, surroundings.ground().clock());
    }

    @Bean
    ScheduleTable scheduleTable(JdbcClient jdbc) {
        return new ScheduleTable(jdbc);
    }

    @Bean
    ScheduleClerk scheduleClerk(
            Surroundings surroundings,
            ScheduleTable table,
            TransactionOperations transactions,
            JobDesk desk) {
        return new ScheduleClerk(
                surroundings::configuration,
                table,
                transactions,
                request -> desk.submit(request).id());
    }

    @Bean
    ChangeClerk changeClerk(
            Surroundings surroundings,
            FactsKeeper keeper,
            ScheduleTable table,
            TransactionOperations transactions,
            JobDesk desk) {
        return new ChangeClerk(
                surroundings::configuration,
                keeper::facts,
                table,
                transactions,
                request -> desk.submit(request).id());
    }

    @Bean
    ReceiverTable receiverTable(JdbcClient jdbc) {
        return new ReceiverTable(jdbc);
    }

    @Bean
    Receivers receivers(Surroundings surroundings, ReceiverTable table, ServerName server) {
        return new Receivers(surroundings, table, server.text(), Receivers.Pace.USUAL);
    }

    @Bean
    WorkBegins workBegins(
            JobDesk desk, ScheduleClerk clerk, ChangeClerk changes, Receivers receivers) {
        return new WorkBegins(desk, clerk, changes, receivers);
    }
}
