//! The console as a browser sees it: log in, look, acknowledge.

use anyhow::{Context as _, Result};
use auscult_tests::Program;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::vitals::{ill, now};

#[tokio::test]
async fn a_nurse_logs_in_sees_the_alert_and_acknowledges_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    program.ingest(&token, "application/json", ill("mon-1", now()).to_string()).await?;
    let alerts = program.until("/alerts?patient=ann", |it| it.items().len() == 1).await?.items();
    let alert = alerts[0]["id"].as_str().context("an alert has an id")?.to_owned();

    let browser = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let page = |path: &str| format!("{}{path}", program.url);
    let stranger = browser.get(page("/")).send().await?;
    assert_eq!(stranger.headers()[LOCATION], "/ward/login");
    let form = [("name", "Nurse Jackie"), ("token", program.operator.as_str())];
    let login =
        browser.post(page("/ward/login")).header(ORIGIN, &program.url).form(&form).send().await?;
    assert_eq!(login.status(), 303, "{}", login.text().await?);
    let cookie =
        login.headers()[SET_COOKIE].to_str()?.split(';').next().unwrap_or_default().to_owned();

    let ward = browser.get(page("/")).header(COOKIE, &cookie).send().await?.text().await?;
    assert!(ward.contains("NEWS2") && ward.contains("Acknowledge"), "{ward}");
    let path = format!("/ward/alerts/{alert}/acknowledge");
    let forged = browser
        .post(page(&path))
        .header(COOKIE, &cookie)
        .header(ORIGIN, "http://evil.example")
        .form(&[("back", "/")])
        .send()
        .await?;
    assert_eq!(forged.status(), 403, "another site's form is refused");
    let answered = browser
        .post(page(&path))
        .header(COOKIE, &cookie)
        .header(ORIGIN, &program.url)
        .form(&[("back", "/")])
        .send()
        .await?;
    assert_eq!(answered.status(), 303);
    let alert = program.get(&format!("/alerts/{alert}")).await?.body;
    assert_eq!(alert["status"], "acknowledged");
    let by = alert["transitions"].as_array().and_then(|it| it.last()).map(|it| it["by"].clone());
    assert_eq!(by, Some("Nurse Jackie".into()), "{alert}");
    Ok(())
}
