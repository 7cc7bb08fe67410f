package dev.mainstay.server.trace;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.state.ServerName;

import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;

/// Traces, where the configuration says whom to send them to.
@Configuration(proxyBeanMethods = false)
public class TracingBeans {
    @Bean // closed after all that begins spans
    Tracing tracing(Surroundings surroundings, ServerName server) {
        return surroundings
                .configuration()
                .server()
                .tracing()
                .map(
                        settings ->
                                Tracing.of(
                                        settings,
                                        server.text(),
                                        surroundings.ground().clock()))
                .orElseGet(Tracing::off);
    }

    /// Before who asks is looked at: refusals are told as well.
    @Bean
    FilterRegistrationBean<RequestSpans> requestSpans(Tracing tracing, Surroundings surroundings) {
        FilterRegistrationBean<RequestSpans> filter =
                new FilterRegistrationBean<>(new RequestSpans(tracing));
        filter.setOrder(Ordered.HIGHEST_PRECEDENCE);
        filter.setEnabled(surroundings.configuration().server().tracing().isPresent());
        return filter;
    }
}
