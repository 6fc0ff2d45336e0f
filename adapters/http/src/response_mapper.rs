//! The Response Mapper of the socket: an [`ApiResponse`] becomes what hyper writes.
//!
//! It adds nothing: length, date and framing are hyper's, everything else was decided before.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use rowstamp_ports::exchange::ApiResponse;

/// Moves status, headers and body over; the body's bytes are not copied.
pub fn map(answer: ApiResponse) -> Response<Full<Bytes>> {
    let ApiResponse {
        status,
        headers,
        body,
    } = answer;
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, ETAG, LINK};
    use http::{HeaderMap, HeaderValue, StatusCode};
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn an_answer_goes_out_as_it_is() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ETAG, HeaderValue::from_static("\"1-a\""));
        headers.append(LINK, HeaderValue::from_static("<?a>"));
        headers.append(LINK, HeaderValue::from_static("<?b>"));
        let body = Bytes::from(b"\x00\xff{}".to_vec());
        let answer = ApiResponse {
            status: StatusCode::CREATED,
            headers: headers.clone(),
            body: body.clone(),
        };

        let response = map(answer);
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers(), &headers);
        let sent = response
            .into_body()
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        assert_eq!(
            sent.as_ref().map(|sent| sent.as_ptr()),
            Ok(body.as_ptr()),
            "the body was copied"
        );
        assert_eq!(sent, Ok(body));
    }
}
