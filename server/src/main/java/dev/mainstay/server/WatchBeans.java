package dev.mainstay.server;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Followed;
import dev.mainstay.engine.config.WatchSettings;
import dev.mainstay.server.alert.AlertBook;
import dev.mainstay.server.alert.AlertTable;
import dev.mainstay.server.alert.AlertsController;
import dev.mainstay.server.alert.Rhythm;
import dev.mainstay.server.alert.Rulebook;
import dev.mainstay.server.live.LiveConfiguration;
import dev.mainstay.server.metrics.FactsKeeper;
import dev.mainstay.server.metrics.MetricsController;
import dev.mainstay.server.notify.Channels;
import dev.mainstay.server.notify.Courier;
import dev.mainstay.server.notify.NoticeTable;
import dev.mainstay.server.notify.NotificationsController;
import dev.mainstay.server.report.ReportClerk;
import dev.mainstay.server.report.ReportsController;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.state.History;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;
import dev.mainstay.server.view.RepositoryView;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;

/// What watches, and tells what it sees.
@Configuration(proxyBeanMethods = false)
@Import({
    MetricsController.class,
    AlertsController.class,
    NotificationsController.class,
    ReportsController.class
})
class WatchBeans {
    /// For what a channel has to answer.

    @Bean
    FactsKeeper factsKeeper(
            Surroundings surroundings,
            LiveConfiguration live,
            RepositoryView view,
            JdbcClient jdbc,
            TokenTable tokens) {
        return new FactsKeeper(
                surroundings, view, jdbc, tokens, live::refusal, FactsKeeper.Pace.USUAL);
    }

    private static WatchSettings settings(Surroundings surroundings) {
        return surroundings.configuration().server().watch();
    }

    @Bean
    Channels channels(Surroundings surroundings) {
        return new Channels(
                () -> settings(surroundings).notifications(),
                surroundings.ground(),
                Channels.PATIENCE);
    }

    @Bean
    NoticeTable noticeTable(JdbcClient jdbc, Surroundings surroundings, Channels channels) {
        return new NoticeTable(jdbc, surroundings.ground(), channels);
    }

    @Bean
    Courier courier(NoticeTable table, Channels channels, Tracing tracing) {
        return new Courier(table, channels, tracing);
    }

    @Bean
    AlertTable alertTable(JdbcClient jdbc) {
        return new AlertTable(jdbc);
    }

    @Bean
    AlertBook alertBook(
            AlertTable table,
            NoticeTable outbox,
            TransactionOperations transactions,
            Surroundings surroundings) {
        return new AlertBook(
                table,
                outbox,
                transactions,
                surroundings.ground(),
                () -> settings(surroundings).alerts(),
                () -> settings(surroundings).notifications());
    }

    @Bean
    Rulebook rulebook(Surroundings surroundings) {
        return new Rulebook(
                () -> settings(surroundings).alerts(),
                new Followed<>(surroundings::configuration, Rhythm::new));
    }

    @Bean
    ReportClerk reportClerk(
            Surroundings surroundings,
            JdbcClient jdbc,
            FactsKeeper keeper,
            AlertTable alerts,
            NoticeTable notices) {
        return new ReportClerk(
                () -> settings(surroundings).report(),
                jdbc,
                now -> keeper.facts(),
                alerts,
                notices,
                surroundings.ground().clock());
    }

    @Bean
    History history(
            JdbcClient jdbc, TransactionOperations transactions, Surroundings surroundings) {
        return new History(
                jdbc, transactions, () -> surroundings.configuration().server().history());
    }

    @Bean
    WatchDesk watchDesk(
            Surroundings surroundings,
            StateDatabase state,
            ServerName server,
            FactsKeeper keeper,
            Rulebook rules,
            AlertBook book,
            Courier courier,
            ReportClerk reports,
            History history) {
        return new WatchDesk(
                surroundings, state, server, keeper, rules, book, courier, reports, history);
    }
}
