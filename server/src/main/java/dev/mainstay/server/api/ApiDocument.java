package dev.mainstay.server.api;

import dev.mainstay.server.security.LeastRole;

import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import io.swagger.v3.oas.models.servers.Server;

import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.method.HandlerMethod;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What the OpenAPI document says beside what it reads from the endpoints.
@Configuration(proxyBeanMethods = false)
public class ApiDocument {
    /// Where an operation says who may use it.
    private static final String LEAST_ROLE = "x-least-role";

    private static final String TOKEN = "token";
    private static final String PROBLEM = "Problem";

    @Bean
    OpenAPI openApi() {
        return new OpenAPI()
                .info(
                        new Info()
                                .title("Mainstay")
                                .version("v1")
                                .description(
                                        "Backups, recovery and what watches over them. x-least-role"
                                                + " says who may use an operation.")
                                .license(
                                        new License()
                                                .name("Apache-2.0")
                                                .identifier("Apache-2.0")))
                .servers(List.of(new Server().url("/"))) // wherever it was read
                .components(
                        new Components()
                                .addSecuritySchemes(
                                        TOKEN,
                                        new SecurityScheme()
                                                .type(SecurityScheme.Type.HTTP)
                                                .scheme("bearer"))
                                .addSchemas(PROBLEM, problem()));
    }

    private static Schema<?> problem() {
        Schema<?> problem = new Schema<>().types(Set.of("object"));
        problem.description("RFC 9457, with the number and the hint of the command line");
        for (String name : List.of("type", "title", "detail", "instance", "code", "hint")) {
            problem.addProperty(name, new Schema<>().types(Set.of("string")));
        }
        problem.addProperty("status", new Schema<>().types(Set.of("integer")));
        return problem;
    }

    @Bean
    OperationCustomizer rolesAndProblems() {
        return (operation, handler) -> {
            LeastRole least = handler.getMethodAnnotation(LeastRole.class);
            if (least == null) {
                operation.security(List.of());
            } else {
                operation.addSecurityItem(new SecurityRequirement().addList(TOKEN));
                operation.addExtension(LEAST_ROLE, least.value().word());
            }
            String resource = resource(handler);
            operation.tags(List.of(resource));
            operation.operationId(resource + "-" + handler.getMethod().getName());
            return addProblem(operation);
        };
    }

    /// `jobs` of `JobsController`.
    private static String resource(HandlerMethod handler) {
        String name = handler.getBeanType().getSimpleName().replace("Controller", "");
        return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
    }

    private static Operation addProblem(Operation operation) {
        operation
                .getResponses()
                .addApiResponse(
                        "default",
                        new ApiResponse()
                                .description("what is wrong")
                                .content(
                                        new Content()
                                                .addMediaType(
                                                        "application/problem+json",
                                                        new MediaType()
                                                                .schema(
                                                                        new Schema<>()
                                                                                .$ref(PROBLEM)))));
        return operation;
    }
}
