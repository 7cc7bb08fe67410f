package dev.mainstay.server.operators;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.job.JobCounts;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.view.RepositoryView;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.transaction.support.TransactionOperations;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

/// The paths that operators already call.
@Configuration(proxyBeanMethods = false)
@Import({FamilyA.class, FamilyB.class, FamilyC.class})
public class OperatorsBeans {
    @Bean
    BackupFigures backupFigures(
            Surroundings surroundings,
            RepositoryView view,
            JobCounts counts,
            JobDesk desk,
            Dangers dangers,
            Confirmations confirmations,
            TransactionOperations transactions) {
        return new BackupFigures(
                surroundings, view, counts, desk, dangers, confirmations, transactions);
    }

    /// Before the health of the server, which takes all of `/health/` for its own.
    @Bean
    static BeanPostProcessor endpointsFirst() {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (bean instanceof RequestMappingHandlerMapping mappings
                        && name.equals("requestMappingHandlerMapping")) {
                    mappings.setOrder(-200);
                }
                return bean;
            }
        };
    }
}
