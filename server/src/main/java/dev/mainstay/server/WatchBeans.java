package dev.mainstay.server;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.metrics.FactsKeeper;
import dev.mainstay.server.metrics.MetricsController;
import dev.mainstay.server.security.TokenTable;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What watches, and tells what it sees.
@Configuration(proxyBeanMethods = false)
@Import(MetricsController.class)
class WatchBeans {
    @Bean
    FactsKeeper factsKeeper(Surroundings surroundings, JdbcClient jdbc, TokenTable tokens) {
        return new FactsKeeper(surroundings, jdbc, tokens, FactsKeeper.Pace.USUAL);
    }
}
