use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use data::Examples;
use serde::Serialize;
use training::Prediction;
use utoipa::ToSchema;

use crate::api_error::{ApiError, ErrorBody, json};
use crate::app::{App, NamedModel};
use crate::model::MAX_EXAMPLES;

/// An image with the name that its prediction has.
type NamedImage = (String, Vec<u8>);

/// Predictions, as of `trainer predict --json`.
#[derive(Serialize, ToSchema)]
pub struct Predictions {
    /// Name of the model.
    run: String,
    /// Whether the model was trained on synthetic data.
    synthetic: bool,
    /// One per image that can be read, in their order.
    #[schema(value_type = Vec<PredictionSchema>)]
    predictions: Vec<Prediction>,
    /// Images that cannot be read.
    unreadable: Vec<UnreadableImage>,
}

/// An image that cannot be read.
#[derive(Serialize, ToSchema)]
struct UnreadableImage {
    /// Name of its file or part.
    input: String,
    reason: String,
}

#[derive(ToSchema)]
#[schema(as = Prediction)]
#[expect(dead_code, reason = "the schema of `Prediction`")]
struct PredictionSchema {
    /// Name of the file or part; `-` for a body that is one image.
    input: String,
    /// The most likely class.
    class: String,
    /// Its probability.
    probability: f32,
    /// Probability of each class, in the order of the labels.
    probabilities: Vec<ClassProbabilitySchema>,
}

#[derive(ToSchema)]
#[schema(as = ClassProbability)]
#[expect(dead_code, reason = "the schema of `ClassProbability`")]
struct ClassProbabilitySchema {
    class: String,
    probability: f32,
}

/// An image, or several as parts of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of a form")]
struct ImageForm {
    /// The images, each a part with a file name. The names of the parts do not matter.
    #[schema(value_type = Vec<String>, format = Binary)]
    image: Vec<Vec<u8>>,
}

/// Classify images
///
/// The body is a JPEG, PNG, WebP, BMP, GIF or TIFF image, or a form with up to 256 of them. It has at most
/// 8 MiB, and an image at most 25 megapixels. Images are resized as in `trainer predict`. Those of a form that
/// cannot be read are listed beside the predictions of the others; it is an error only if none can be read.
#[utoipa::path(post, path = "/predictions/{model_name}", tag = "predictions",
    params(("model_name" = String, Path, description = "Name of the run")),
    request_body(description = "An image, or a form with images", content(
        (Vec<u8> = "application/octet-stream"),
        (Vec<u8> = "image/*"),
        (ImageForm = "multipart/form-data"),
    )),
    responses(
        (status = 200, body = Predictions),
        (status = 400, body = ErrorBody, description = "The form is invalid, or the model classifies points"),
        (status = 404, body = ErrorBody, description = "There is no such model"),
        (status = 408, body = ErrorBody, description = "The body took longer than 30 seconds"),
        (status = 413, body = ErrorBody, description = "The body has more than 8 MiB"),
        (status = 422, body = ErrorBody, description = "No image can be read, or it has more than 25 megapixels"),
        (status = 500, body = ErrorBody, description = "The device failed"),
        (status = 503, body = ErrorBody, description = "The queue is full: repeat the request after the seconds of `Retry-After`"),
    )
)]
pub async fn predict(
    State(app): State<Arc<App>>,
    NamedModel(model): NamedModel,
    request: Request,
) -> Result<Response, ApiError> {
    let frame = model.frame()?;
    let (head, body) = request.into_parts();
    let body = app.bodies.receive(body).await?;
    let images = images(&head.headers, body.bytes).await?;
    let mut places = model.queue(images.len())?;
    let mut predicted = Predictions {
        run: model.name.clone(),
        synthetic: model.identity.synthetic,
        predictions: Vec::new(),
        unreadable: Vec::new(),
    };
    let (mut names, mut pixels) = (Vec::new(), Vec::new());
    for (input, image) in images {
        match app.decoders.decode(image, frame).await {
            Ok(image) => {
                names.push(input);
                pixels.extend(image);
            }
            Err(reason) => predicted.unreadable.push(UnreadableImage { input, reason }),
        }
    }
    if names.is_empty() {
        let reasons =
            predicted.unreadable.iter().map(|image| format!("{}: {}", image.input, image.reason));
        let reasons: Vec<String> = reasons.collect();
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, reasons.join("\n")));
    }
    drop(places.split(predicted.unreadable.len()));
    let examples = Examples::images(frame.shape, pixels, vec![0; names.len()]);
    let outputs = model.outputs(examples, places).await?;
    let predictions = names.into_iter().zip(outputs);
    predicted.predictions = predictions
        .map(|(name, output)| Prediction::new(name, &model.identity.classes, &output.probabilities))
        .collect();
    Ok(json(&predicted))
}

/// The images of a body.
async fn images(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<NamedImage>, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_form = content_type.is_some_and(|kind| {
        let kind = kind.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"multipart/form-data")
    });
    let Some(content_type) = content_type.filter(|_| is_form) else {
        return Ok(vec![("-".to_owned(), body)]);
    };
    let mut form = Request::new(Body::from(body));
    form.headers_mut().insert(header::CONTENT_TYPE, content_type.clone());
    let form = Multipart::from_request(form, &()).await;
    let mut form = form.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let invalid =
        |error: axum::extract::multipart::MultipartError| ApiError::bad_request(error.body_text());
    let mut images = Vec::new();
    while let Some(part) = form.next_field().await.map_err(invalid)? {
        if images.len() == MAX_EXAMPLES {
            return Err(ApiError::bad_request(format!(
                "send at most {MAX_EXAMPLES} images in a form"
            )));
        }
        let name = part.file_name().or(part.name()).unwrap_or("-").to_owned();
        images.push((name, part.bytes().await.map_err(invalid)?.into()));
    }
    if images.is_empty() {
        return Err(ApiError::bad_request("the form has no images"));
    }
    Ok(images)
}
