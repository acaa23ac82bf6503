//! All routes, their description and what surrounds them.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use bist_app::App;
use utoipa_axum::router::OpenApiRouter;

use crate::middleware::{Limits, wrap};
use crate::routes::{
    bars, data_quality, docs, experiments, explanations, forecasts, health, jobs, market, models,
    signals, studies, symbols,
};
use crate::{assets, openapi};

/// The whole service: API, health, web app, middleware.
pub fn router(app: Arc<App>) -> Router {
    let (routes, description) = OpenApiRouter::with_openapi(openapi::frame())
        .merge(symbols::router())
        .merge(bars::router())
        .merge(forecasts::router())
        .merge(signals::router())
        .merge(explanations::router())
        .merge(models::router())
        .merge(experiments::router())
        .merge(studies::router())
        .merge(jobs::router())
        .merge(data_quality::router())
        .merge(market::router())
        .merge(health::router())
        .split_for_parts();
    let description = openapi::document(description);
    let describe =
        async move || ([(header::CONTENT_TYPE, "application/json")], description.clone());
    let routes = routes
        .route("/api/openapi.json", get(describe))
        .route("/api/docs", get(docs::page))
        .fallback(assets::answer)
        .with_state(app);
    wrap(routes, Limits::default())
}
