package dev.mainstay.server;

import dev.mainstay.server.state.StateDatabase;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import javax.sql.DataSource;

/// What the server is made of.
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class ServerBeans {
    @Bean(destroyMethod = "") // StateDatabase closes it
    DataSource dataSource(StateDatabase state) {
        return state.source();
    }
}
